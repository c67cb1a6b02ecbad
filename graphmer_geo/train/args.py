"""Every knob of a training run. Each one is read, which a test checks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from graphmer_geo.errors import UserError


@dataclass(frozen=True)
class TrainArgs:
    """Training arguments. A run ends at ``max_steps`` or ``max_seconds``, whichever comes first.

    The learning rate rises linearly over the first ``warmup_share`` of the budget and falls along a
    cosine to ``min_lr_share`` of its peak at the end of it. With a time budget, "the budget" is the
    larger of the share of steps done and the share of time spent, so the schedule always completes; such
    a run is not reproducible step by step, one with ``max_steps`` alone is.
    """

    max_steps: int | None = None
    """Optimiser steps."""
    max_seconds: float | None = None
    """Seconds of training, loading and final evaluation not included."""
    learning_rate: float = 5e-4
    """Peak learning rate of AdamW."""
    min_lr_share: float = 0.025
    """Learning rate at the end, as a share of the peak."""
    warmup_share: float = 0.05
    """Share of the budget over which the learning rate rises."""
    weight_decay: float = 0.01
    """Decay of matrices; vectors and scalars (biases, norms, temperatures) have none."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm."""
    batch_tokens: int = 4096
    """Nodes in one batch, counted as its number of chains times its longest chain."""
    root_lengths: tuple[int, ...] = ()
    """Curriculum: longest chains of each phase in root tokens, ascending; the data must have been cut to them
    (`graphmer data prepare --curriculum`). Default: the longest from the beginning."""
    root_steps: tuple[int, ...] = ()
    """Optimiser steps at which each of root_lengths but the first begins."""
    accumulation: int = 1
    """Batches per optimiser step, those of all processes together: how many processes share the work changes
    nothing in what is computed."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """What each of several processes holds: the whole model, or (fsdp) a part of every weight, its gradient
    and its state in the optimiser."""
    device: Literal["auto", "cpu", "cuda", "tpu"] = "auto"
    """Where to compute; auto: on an accelerator if there is one, else on the CPU."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of matrix products; weights stay float32. fp16 needs a GPU, for GPUs without bfloat16."""
    gradient_checkpointing: bool = False
    """Keep only the inputs of the layers and compute the rest again: less memory, about a third slower."""
    compile: Literal["off", "inductor", "aot_eager"] = "off"
    """Compile the encoder with this backend of torch.compile (aot_eager makes no code: to find faults)."""
    kernel: Literal["dense", "flex"] = "dense"
    """How attention is computed: over padded buckets, or (on CUDA) by FlexAttention."""
    ema_decay: float = 0.0
    """Save an exponential moving average of the weights with this decay (0.999, say) as the model."""
    mlm_prob: float = 0.15
    """Share of root tokens to mask."""
    mnm_prob: float = 0.5
    """Probability of hiding each target triple's tail."""
    rank_share: float = 0.8
    """Share of the hidden tails to be ranked among candidates; the others are predicted token by token."""
    hide_telling: float = 0.0
    """Share of the chains whose leaves that would tell a masked token are taken away."""
    hidden_only: bool = False
    """Hide only tails that cannot be read in the chunk."""
    candidates: int = 512
    """Entities drawn into each batch's pool beside the right answers."""
    seed: int = 0
    """Seed of weights, order, masks, candidates and dropout; a batch draws by it and its number alone."""
    threads: int | None = None
    """CPU threads of torch; its own default if not given."""
    workers: int = 0
    """Processes that prepare batches; 0: the training process itself."""
    log_steps: int = 10
    """Steps between two lines of log.jsonl."""
    save_steps: int = 500
    """Steps between two checkpoints."""
    keep_checkpoints: int = 2
    """Older checkpoints are deleted."""
    trackers: tuple[Literal["tensorboard", "mlflow"], ...] = ()
    """Where the log goes beside log.jsonl (extra `track`)."""
    mlflow_uri: str = ""
    """MLflow server or database; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db."""
    experiment: str = "graphmer"
    """Name of the MLflow experiment."""
    alert_webhook: str = ""
    """Address that alerts (loss spikes, stalls, slow or starving runs) are posted to, as JSON."""
    stall_seconds: float = 600.0
    """Alert if no step ends for so long."""
    resume: bool | Literal["auto"] = False
    """Continue from the last checkpoint of the run folder; auto: if there is one, else start."""
    session_seconds: float | None = None
    """Save a checkpoint and stop after this many seconds, where a session is limited; resume goes on."""

    def __post_init__(self) -> None:
        """Refuse values that cannot train.

        Raises:
            UserError: naming the field, its value and what is allowed.
        """
        if self.max_steps is None and self.max_seconds is None:
            raise UserError("a run needs an end: set max_steps, max_seconds or both")
        for name in (
            "max_steps",
            "max_seconds",
            "learning_rate",
            "max_grad_norm",
            "batch_tokens",
            "accumulation",
            "session_seconds",
            "stall_seconds",
            "candidates",
            "threads",
            "log_steps",
            "save_steps",
            "keep_checkpoints",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UserError(f"{name} is {value}; it must be positive")
        for name in ("min_lr_share", "warmup_share", "mlm_prob", "mnm_prob", "rank_share", "hide_telling"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UserError(f"{name} is {value}; it must lie between 0 and 1")
        if not 0 <= self.ema_decay < 1:
            raise UserError(f"ema_decay is {self.ema_decay}; it must be at least 0 and below 1")
        if self.weight_decay < 0 or self.workers < 0:
            raise UserError(
                f"weight_decay ({self.weight_decay}) and workers ({self.workers}) must not be negative"
            )


#: What may differ when a run is resumed: how long it goes on and how it is carried out, not what it computes.
MAY_DIFFER = frozenset(
    {
        "max_steps",
        "max_seconds",
        "threads",
        "workers",
        "log_steps",
        "save_steps",
        "keep_checkpoints",
        "resume",
        "session_seconds",
        "gradient_checkpointing",
        "compile",
        "kernel",
        "parallel",
        "device",
        "trackers",
        "mlflow_uri",
        "experiment",
        "alert_webhook",
        "stall_seconds",
    }
)
FIXED = tuple(f.name for f in fields(TrainArgs) if f.name not in MAY_DIFFER)
