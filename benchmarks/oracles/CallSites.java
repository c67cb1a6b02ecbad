import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParameterizedTypeTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.TypeElement;
import javax.lang.model.element.VariableElement;
import javax.lang.model.type.ArrayType;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeKind;
import javax.lang.model.type.TypeMirror;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * What javac says each call in some files of a module calls. The files are parsed and attributed, never run.
 *
 * <p>Arguments: module, folder of its sources, a file that lists the paths to attribute (one a line, relative).
 * Prints one tab-separated line per method call or object creation: path, offset of the name in characters,
 * "call" or "new", binary name of the class that declares the target, its name, its parameter types as declared.
 */
public final class CallSites {
    private static SourcePositions positions;
    private static Trees trees;

    public static void main(String[] args) throws Exception {
        Path root = Path.of(args[1]);
        List<Path> paths = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(args[2]))) {
            paths.add(root.resolve(line));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
        List<String> options = List.of(
            "--patch-module", args[0] + "=" + root, "-proc:none", "-implicit:none", "-nowarn", "-XDrawDiagnostics",
            "-Xmaxerrs", "1000000");
        JavacTask task = (JavacTask) compiler.getTask(
            null, files, diagnostic -> { }, options, null, files.getJavaFileObjectsFromPaths(paths));
        trees = Trees.instance(task);
        positions = trees.getSourcePositions();
        List<CompilationUnitTree> units = new ArrayList<>();
        for (CompilationUnitTree unit : task.parse()) {
            units.add(unit);
        }
        task.analyze();
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (CompilationUnitTree unit : units) {
            JavaFileObject source = unit.getSourceFile();
            String path = root.toUri().relativize(source.toUri()).getPath();
            new Scanner(unit, path, out).scan(unit, null);
        }
        out.flush();
    }

    private static final class Scanner extends TreePathScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final String path;
        private final PrintStream out;

        Scanner(CompilationUnitTree unit, String path, PrintStream out) {
            this.unit = unit;
            this.path = path;
            this.out = out;
        }

        @Override
        public Void visitMethodInvocation(MethodInvocationTree node, Void unused) {
            ExpressionTree select = node.getMethodSelect();
            print("call", trees.getElement(new TreePath(getCurrentPath(), select)), name(select));
            return super.visitMethodInvocation(node, unused);
        }

        @Override
        public Void visitNewClass(NewClassTree node, Void unused) {
            print(node.getClassBody() == null ? "new" : "anonymous", trees.getElement(getCurrentPath()),
                name(node.getIdentifier()));
            return super.visitNewClass(node, unused);
        }

        /** The offset of the last name of an expression; -1 where it is not written. */
        private long name(Tree tree) {
            if (tree instanceof ParameterizedTypeTree type) {
                return name(type.getType());
            }
            if (tree instanceof MemberSelectTree select) {
                long end = positions.getEndPosition(unit, tree);
                return end < 0 ? -1 : end - select.getIdentifier().length();
            }
            return tree instanceof IdentifierTree ? positions.getStartPosition(unit, tree) : -1;
        }

        private void print(String kind, Element element, long offset) {
            if (!(element instanceof ExecutableElement method) || offset < 0) {
                return;
            }
            List<String> parameters = new ArrayList<>();
            for (VariableElement parameter : method.getParameters()) {
                parameters.add(simple(parameter.asType()));
            }
            String owner = binary((TypeElement) method.getEnclosingElement());
            out.println(String.join("\t", path, Long.toString(offset), kind, owner,
                method.getSimpleName().toString(), String.join(",", parameters)));
        }
    }

    private static String binary(TypeElement type) {
        Element outer = type.getEnclosingElement();
        if (outer instanceof TypeElement enclosing) {
            return binary(enclosing) + "$" + type.getSimpleName();
        }
        return type.getQualifiedName().length() > 0 ? type.getQualifiedName().toString() : "?" + type.getSimpleName();
    }

    /** A type as one would write it, without packages and type arguments. */
    private static String simple(TypeMirror type) {
        if (type.getKind() == TypeKind.ARRAY) {
            return simple(((ArrayType) type).getComponentType()) + "[]";
        }
        return type.getKind() == TypeKind.DECLARED
            ? ((DeclaredType) type).asElement().getSimpleName().toString()
            : type.toString().replaceAll("^.* ", "");
    }
}
