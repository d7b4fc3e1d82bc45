/* The loops of bench/simulate.ts in C, as plainly as they can be written: what a decision costs without a platform around it.
   usage: simulate ucb1|kl-ucb|epsilon-greedy|thompson|linucb REPLICATIONS HORIZON; prints CPU seconds and the mean pseudo-regret. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define K 10
#define D 10

static uint32_t s[4] = {1, 2, 3, 4};
static inline uint32_t next(void) {
  uint32_t m = s[1] * 5, out = ((m << 7) | (m >> 25)) * 9, t = s[1] << 9;
  s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= t, s[3] = (s[3] << 11) | (s[3] >> 21);
  return out;
}
static inline double uniform(void) { return ((next() >> 11) * 4294967296.0 + next()) * 0x1p-53; }
static double spare;
static int has_spare;
static double normal(void) { /* Marsaglia's polar method */
  if (has_spare) return has_spare = 0, spare;
  for (;;) {
    double x = 2 * uniform() - 1, y = 2 * uniform() - 1, q = x * x + y * y;
    if (q >= 1 || q == 0) continue;
    double f = sqrt(-2 * log(q) / q);
    return has_spare = 1, spare = y * f, x * f;
  }
}
static double gamma_draw(double shape) { /* Marsaglia and Tsang 2000, shape >= 1 */
  double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    double x = normal(), v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    double u = 1 - uniform();
    if (u < 1 - 0.0331 * x * x * x * x || log(u) < 0.5 * x * x + d * (1 - v + log(v))) return d * v;
  }
}
/* argmax of value + b * width, ties at random; one scalar pass, because a vector load of what was just stored would wait */
static int argmax(const double *value, const double *width, double b) {
  double top = -INFINITY;
  int best = 0, equal = 0;
  for (int k = 0; k < K; k++) {
    double v = b == 0 ? value[k] : value[k] + b * width[k];
    if (v > top) top = v, best = k, equal = 1;
    else if (v == top) equal++;
  }
  if (equal == 1) return best;
  for (int skip = (int)(uniform() * equal); skip > 0;)
    if (best++, (b == 0 ? value[best] : value[best] + b * width[best]) == top) skip--;
  return best;
}

/* max {q : kl(p, q) <= d}, by Newton's method from above */
static double kl_index(double p, double d) {
  if (p >= 1 || d <= 0) return p;
  if (p <= 0) return -expm1(-d);
  double rest = 1 - p, e = d * rest, delta = e + sqrt(e * e + 2 * p * e);
  if (delta > rest / 2) delta = fmin(delta, -rest * expm1((p * log(p) - d) / rest));
  for (double next;; delta = next) {
    if (delta >= rest) return 1;
    next = delta - (-p * log1p(delta / p) - rest * log1p(-delta / rest) - d) * (p + delta) * (rest - delta) / delta;
    if (!(next < delta) || delta - next < 1e-7 * fmin(next, rest - next)) return p + next;
  }
}

static double bernoulli(char algorithm, int horizon) {
  static const double mean[K] = {.1, .05, .05, .05, .02, .02, .02, .01, .01, .01};
  double n[K] = {0}, sum[K] = {0}, value[K], width[K], index[K], regret = 0;
  for (int k = 0; k < K; k++) value[k] = width[k] = INFINITY;
  for (int t = 0; t < horizon; t++) {
    int a;
    if (algorithm == 'u') {
      a = argmax(value, width, t > 1 ? sqrt(2 * log(t)) : 0);
    } else if (algorithm == 'e') {
      a = t >= K && uniform() < 0.1 ? (int)(uniform() * K) : argmax(value, width, 0);
    } else if (algorithm == 'k') {
      double l = t > 1 ? log(t) : 0;
      for (int k = 0; k < K; k++) index[k] = n[k] == 0 ? INFINITY : kl_index(value[k], l / n[k]);
      a = argmax(index, width, 0);
    } else {
      for (int k = 0; k < K; k++) {
        double x = gamma_draw(1 + sum[k]);
        index[k] = x / (x + gamma_draw(1 + n[k] - sum[k]));
      }
      a = argmax(index, width, 0);
    }
    n[a]++, sum[a] += uniform() < mean[a];
    value[a] = sum[a] / n[a], width[a] = 1 / sqrt(n[a]);
    regret += mean[0] - mean[a];
  }
  return regret;
}

static double linucb(const double theta[K][D], int horizon) {
  static double inverse[K][D][D], estimate[K][D];
  double x[D], v[D], mean[K], value[K], width[K], regret = 0;
  memset(inverse, 0, sizeof inverse), memset(estimate, 0, sizeof estimate);
  for (int k = 0; k < K; k++) for (int i = 0; i < D; i++) inverse[k][i][i] = 1;
  for (int t = 0; t < horizon; t++) {
    for (int i = 0; i < D; i++) x[i] = normal() * sqrt(1.0 / D);
    double best = -INFINITY;
    for (int k = 0; k < K; k++) {
      double q = 0, e = 0, m = 0;
      for (int i = 0; i < D; i++) {
        double row = 0;
        for (int j = 0; j < D; j++) row += inverse[k][i][j] * x[j];
        q += row * x[i], e += estimate[k][i] * x[i], m += theta[k][i] * x[i];
      }
      value[k] = e, width[k] = sqrt(q), mean[k] = m;
      if (m > best) best = m;
    }
    int a = argmax(value, width, 1);
    double q = 0, e = 0, y = mean[a] + 0.5 * normal();
    for (int i = 0; i < D; i++) {
      v[i] = 0;
      for (int j = 0; j < D; j++) v[i] += inverse[a][i][j] * x[j];
      q += v[i] * x[i], e += estimate[a][i] * x[i];
    }
    for (int i = 0; i < D; i++) {
      estimate[a][i] += v[i] * (y - e) / (1 + q);
      for (int j = 0; j < D; j++) inverse[a][i][j] -= v[i] * v[j] / (1 + q);
    }
    regret += best - mean[a];
  }
  return regret;
}

int main(int argc, char **argv) {
  if (argc < 4) return 1;
  int replications = atoi(argv[2]), horizon = atoi(argv[3]);
  double theta[K][D], regret = 0;
  for (int k = 0; k < K; k++) for (int i = 0; i < D; i++) theta[k][i] = normal() / sqrt(D);
  clock_t start = clock();
  for (int r = 0; r < replications; r++)
    regret += argv[1][0] == 'l' ? linucb(theta, horizon) : bernoulli(argv[1][0], horizon);
  printf("%g %g\n", (double)(clock() - start) / CLOCKS_PER_SEC, regret / replications);
  return 0;
}
