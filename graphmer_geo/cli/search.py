"""``graphmer embed``, ``graphmer finetune`` and ``graphmer search``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from graphmer_geo.cli.output import progress_bar, write_json, write_line, write_table
from graphmer_geo.cli.parser import Hidden
from graphmer_geo.data.pairs import PairConfig
from graphmer_geo.errors import UserError
from graphmer_geo.train.args import TrainArgs

#: Settings that say how to mask tokens and tails, and how long chains are: nothing is masked here.
_NOT_USED = (
    "batch_tokens", "root_lengths", "root_steps", "mlm_prob", "mnm_prob", "rank_share", "hidden_only",
    "candidates",
)  # fmt: skip

Of = Literal["functions", "files"]


def embed(
    run: str, code: str, out: str, of: Of = "functions", split: str = "all", json: bool = False
) -> None:
    """Write the vector of each function, or of each file, of some code.

    Vectors have unit length. Those of a fine-tuned run (`graphmer finetune`) are made to be searched; those
    of any other run are mean states.

    Args:
        run: Run folder.
        code: Knowledge graph, folder of prepared data, or a JSONL file with "code" on each line.
        out: A .parquet file with name, place and vector in each row; or a .npy file of the vectors alone,
            with the rest in .items.parquet beside it.
        of: What gets a vector.
        split: Of prepared data: train, validation, test or all.
        json: Print JSON.

    Example:
        graphmer embed run/ kg/ --out functions.parquet
    """
    from graphmer_geo.inference import embed as write_vectors

    with progress_bar() as progress:
        count = write_vectors(run, code, out, split=split, of=of, progress=progress)
    if json:
        write_json({"vectors": count, "of": of, "out": out})
    else:
        write_line(f"{out}: {count:,} {of}")


def finetune(
    run: str,
    data: str,
    out: str,
    args: Annotated[TrainArgs, Hidden(_NOT_USED)],
    pairs: PairConfig = PairConfig(),  # noqa: B008
) -> None:
    """Teach a trained encoder to find functions by what they do.

    Learns from the documented functions of the train split alone: their documentation asks, the function
    without it answers, the other functions of a batch are wrong.

    Args:
        run: Run folder of `graphmer train`.
        data: Folder of `graphmer data prepare`: that of the run, or one with its tokenizer.
        out: The new run folder.
        args: How to train.
        pairs: Which functions make pairs, and how they come together.

    Example:
        graphmer finetune run/ --data data/ --out search-run/ --max_seconds 1800 --learning_rate 5e-4
    """
    from graphmer_geo.train.search import finetune as learn

    learn(run, data, out, args, pairs)
    write_line(f"{out}: try `graphmer search {out} 'read a file line by line' --code {data}`")


def search(
    run: str,
    query: str,
    code: str | None = None,
    index: str | None = None,
    top: int = 10,
    of: Of = "functions",
    split: str = "all",
    rebuild: bool = False,
    json: bool = False,
) -> None:
    """Find functions by what they do, in plain words.

    The first search of some code makes an index of it, later ones use that. An index that was made with
    another model, or of code that has changed since, is an error and no answer.

    Args:
        run: Run folder of `graphmer finetune`.
        query: What the function does.
        code: Knowledge graph, folder of prepared data, or a JSONL file with "code" on each line; not needed
            where there is an --index.
        index: Folder of the index; default: one in the run folder, by the code.
        top: How many functions.
        of: What to search for.
        split: Of prepared data: train, validation, test or all.
        rebuild: Make the index again.
        json: Print JSON.

    Example:
        graphmer search search-run/ "parse a date written in words" --code kg/
    """
    from graphmer_geo.inference import SearchIndex
    from graphmer_geo.inference.search import default_folder

    if code is None and index is None:
        raise UserError("nothing to search: give --code, or the --index of an earlier search")
    folder = Path(index) if index else default_folder(run, str(code), of, split)
    if code is not None and (rebuild or not folder.exists()):
        with progress_bar() as progress:
            found = SearchIndex.build(run, code, folder, split=split, of=of, progress=progress)
    else:
        found = SearchIndex.open(run, folder, code)
    hits = found.search(query, top)
    if json:
        write_json([asdict(hit) for hit in hits])
        return
    rows = [
        {
            "score": hit.score, "vectors": hit.vector_score, "words": hit.word_score,
            "name": hit.name, "file": hit.file, "bytes": f"{hit.start}-{hit.end}",
        }
        for hit in hits
    ]  # fmt: skip
    write_table(rows, list(rows[0]))
