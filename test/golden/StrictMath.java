import java.util.Random;
import java.util.function.DoubleUnaryOperator;

/** `java StrictMath.java > fdlibm.json`: the bits of arguments and values of Java's StrictMath, which is fdlibm 5.3 by definition. */
class Golden {
  static final Random random = new Random(15);

  public static void main(String[] args) {
    System.out.println("{");
    write("exp", java.lang.StrictMath::exp, 745, ",");
    write("expm1", java.lang.StrictMath::expm1, 709, ",");
    write("log", java.lang.StrictMath::log, Double.MAX_VALUE, ",");
    write("log1p", java.lang.StrictMath::log1p, Double.MAX_VALUE, ",");
    write("tanh", java.lang.StrictMath::tanh, 25, "");
    System.out.println("}");
  }

  /** 50 each: near 0, near ±1, of any size up to `most`, and bit patterns. */
  static void write(String name, DoubleUnaryOperator f, double most, String end) {
    System.out.println("\"" + name + "\": [");
    for (int i = 0; i < 200; i++) {
      double u = 2 * random.nextDouble() - 1;
      double x = i % 4 == 0 ? u
        : i % 4 == 1 ? Math.copySign(1 + u / 1024, random.nextDouble() - 0.3)
        : i % 4 == 2 ? Math.copySign(java.lang.StrictMath.pow(2, u * (most > 1000 ? 1023 : 9)), u)
        : Double.longBitsToDouble(random.nextLong());
      if (Math.abs(x) > most) x = most * u;
      System.out.printf("[\"%016x\", \"%016x\"]%s%n", Double.doubleToLongBits(x), Double.doubleToLongBits(f.applyAsDouble(x)), i < 199 ? "," : "");
    }
    System.out.println("]" + end);
  }
}
