// SPDX-License-Identifier: MIT

import java.util.Arrays;
import java.util.function.LongConsumer;

/** Java's ThreadLocal. ScopedValue came after Java 17 and is not here. */
public final class Bench {
    private static final int RUNS = 9;
    private static final double RUN_NS = 4e6;
    private static final int WARM_UP = 20;

    private static Object sink;
    private static String[] wanted;

    private Bench() {
    }

    private static double runTime(LongConsumer body, long n) {
        long from = System.nanoTime();
        body.accept(n);
        return System.nanoTime() - from;
    }

    private static void measure(String operation, LongConsumer body) {
        if (wanted.length > 0
                && Arrays.stream(wanted).noneMatch(operation::startsWith)) {
            return;
        }
        for (int i = 0; i < WARM_UP; i++) {
            body.accept(20_000);
        }
        long n = 256;
        double ns = runTime(body, n);
        while (ns < RUN_NS / 4) {
            n *= 2;
            ns = runTime(body, n);
        }
        n = (long) (n * RUN_NS / ns) + 1;
        double[] all = new double[RUNS];
        for (int i = 0; i < RUNS; i++) {
            all[i] = runTime(body, n) / n;
        }
        Arrays.sort(all);
        System.out.printf("%s %.4f%n", operation, all[RUNS / 2]);
    }

    private static LongConsumer get(ThreadLocal<Object> local) {
        return n -> {
            for (long i = 0; i < n; i++) {
                sink = local.get();
            }
        };
    }

    private static LongConsumer set(ThreadLocal<Object> local) {
        Object[] values = {new Object(), new Object()};
        return n -> {
            for (long i = 0; i < n; i++) {
                local.set(values[(int) (i & 1)]);
            }
        };
    }

    private static LongConsumer bind(ThreadLocal<Object> local) {
        Object value = new Object();
        return n -> {
            for (long i = 0; i < n; i++) {
                Object before = local.get();
                local.set(value);
                local.set(before);
            }
        };
    }

    private static LongConsumer bindUnset(ThreadLocal<Object> local) {
        Object value = new Object();
        return n -> {
            for (long i = 0; i < n; i++) {
                local.set(value);
                local.remove();
            }
        };
    }

    private static ThreadLocal<Object> addSet(int count) {
        ThreadLocal<Object> last = null;
        for (int i = 0; i < count; i++) {
            last = new ThreadLocal<>();
            last.set(new Object());
        }
        return last;
    }

    public static void main(String[] args) {
        wanted = args;
        System.out.println("version " + System.getProperty("java.version"));
        Object initial = new Object();
        ThreadLocal<Object> first = addSet(1);
        measure("get/1", get(first));
        measure("get/default", get(ThreadLocal.withInitial(() -> initial)));
        measure("set", set(first));
        measure("bind/set", bind(first));
        measure("bind/unset", bindUnset(new ThreadLocal<>()));
        measure("get/20", get(addSet(19)));
        measure("get/1000", get(addSet(980)));
    }
}
