import java.io.File;
import java.lang.annotation.Annotation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import org.apache.beam.runners.portability.PortableRunner;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.PipelineRunner;
import org.apache.beam.sdk.options.PipelineOptions;
import org.joda.time.Duration;
import org.junit.experimental.categories.Category;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.Request;
import org.junit.runner.manipulation.Filter;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/**
 * Runs Beam's own tests that are marked ValidatesRunner: `BeamTests PATTERN GAPS`, of the classes and methods that match the pattern, without
 * those that a line of the file of known gaps names. Prints a line for each test, `PASS|FAIL|SKIP Class.method seconds reason`.
 */
public final class BeamTests {
  private static final String VALIDATES_RUNNER = "org.apache.beam.sdk.testing.ValidatesRunner";

  public static void main(String[] args) throws Exception {
    String pattern = args.length > 0 ? args[0] : ".*";
    Set<String> gaps = new TreeSet<>();
    if (args.length > 1)
      for (String line : java.nio.file.Files.readAllLines(new File(args[1]).toPath()))
        if (!line.isBlank() && !line.startsWith("#")) gaps.add(line.split(" ")[0]);
    Filter wanted =
        new Filter() {
          @Override
          public boolean shouldRun(Description test) {
            if (!test.isTest()) return test.getChildren().stream().anyMatch(this::shouldRun);
            return name(test).matches(pattern) && !gaps.contains(name(test)) && validatesRunner(test);
          }

          @Override
          public String describe() {
            return "tests that validate a runner";
          }
        };
    List<Class<?>> classes = new ArrayList<>();
    for (String name : testClasses()) {
      try {
        Class<?> type = Class.forName(name, false, BeamTests.class.getClassLoader());
        if (wanted.shouldRun(Request.aClass(type).getRunner().getDescription())) classes.add(type);
      } catch (Throwable e) {
        // Needs what is not on the class path, or is no class of tests.
      }
    }
    JUnitCore core = new JUnitCore();
    core.addListener(new Lines());
    boolean all = true;
    for (Class<?> type : classes) all &= core.run(Request.aClass(type).filterWith(wanted)).wasSuccessful();
    System.exit(all ? 0 : 1);
  }

  static String name(Description test) {
    return test.getClassName().replaceAll("^.*\\.", "") + "." + test.getMethodName();
  }

  private static boolean validatesRunner(Description test) {
    for (Annotation each : test.getAnnotations())
      if (each instanceof Category)
        for (Class<?> category : ((Category) each).value()) if (isA(category)) return true;
    return false;
  }

  private static boolean isA(Class<?> category) {
    if (category.getName().equals(VALIDATES_RUNNER)) return true;
    for (Class<?> parent : category.getInterfaces()) if (isA(parent)) return true;
    return false;
  }

  private static List<String> testClasses() throws Exception {
    List<String> names = new ArrayList<>();
    for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (!path.endsWith("-tests.jar")) continue;
      try (JarFile jar = new JarFile(path)) {
        jar.stream()
            .map(entry -> entry.getName())
            .filter(name -> name.matches("org/apache/beam/sdk/.*" + System.getProperty("classes", ".*Test") + "(\\$.*)?\\.class"))
            .sorted()
            .forEach(name -> names.add(name.replace(".class", "").replace('/', '.')));
      }
    }
    return names;
  }

  private static final class Lines extends RunListener {
    private long started;
    private String failure;

    @Override
    public void testStarted(Description test) {
      started = System.nanoTime();
      failure = null;
    }

    @Override
    public void testFailure(Failure f) {
      failure = String.valueOf(f.getException()).replaceAll("\\s+", " ");
      if (failure.length() > 600) failure = failure.substring(0, 600);
      if (f.getDescription().isSuite() || f.getDescription().getMethodName() == null)
        System.out.println("FAIL " + f.getDescription().getClassName() + " 0.0 " + failure);
    }

    @Override
    public void testAssumptionFailure(Failure f) {
      System.out.println("SKIP " + name(f.getDescription()) + " 0.0 " + f.getMessage());
      failure = "skipped";
    }

    @Override
    public void testIgnored(Description test) {
      System.out.println("SKIP " + name(test) + " 0.0 ignored");
    }

    @Override
    public void testFinished(Description test) {
      if ("skipped".equals(failure)) return;
      String seconds = String.format("%.1f", (System.nanoTime() - started) / 1e9);
      System.out.println((failure == null ? "PASS " : "FAIL ") + name(test) + " " + seconds + (failure == null ? "" : " " + failure));
    }
  }

  /** Beam's portable runner, but one that waits for the job, looks more often than every three seconds, and gives up. */
  public static final class Runner extends PipelineRunner<PipelineResult> {
    private static final Duration LIMIT = Duration.standardSeconds(Long.getLong("limit", 60));
    private final PortableRunner runner;

    private Runner(PortableRunner runner) {
      this.runner = runner;
    }

    public static Runner fromOptions(PipelineOptions options) {
      return new Runner(PortableRunner.fromOptions(options));
    }

    @Override
    public PipelineResult run(Pipeline pipeline) {
      PipelineResult result = runner.run(pipeline);
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT.getMillis());
      while (!result.getState().isTerminal()) {
        if (System.nanoTime() > end) {
          try {
            result.cancel();
          } catch (Exception e) {
            // The failure that counts is the one below.
          }
          throw new RuntimeException("the job has not ended within " + LIMIT.getStandardSeconds() + " s");
        }
        try {
          Thread.sleep(20);
        } catch (InterruptedException e) {
          throw new RuntimeException(e);
        }
      }
      // It knows that the job has ended, has its metrics fetched, and throws what has failed.
      PipelineResult.State state = result.waitUntilFinish();
      if (state != PipelineResult.State.DONE) throw new RuntimeException("the job is " + state);
      return result;
    }
  }
}
