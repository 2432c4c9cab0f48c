/* A plain C program that uses the built formula: ./logistic_main TABLE.csv [NUMBERS]
 * prints loss and gradient at w = 0, b = 0; NUMBERS (loss, then the gradient, separated by blanks) are compared bit by bit.
 *   gradus build examples/logistic.loss -o logistic
 *   cc -std=c99 -I. examples/logistic_main.c logistic.o -lm -o logistic_main */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logistic.h"

enum { columns = 30, most_rows = 1000, longest_line = 4096 };

static double X[most_rows * columns], y[most_rows];

static int64_t read_table(const char *path) {
  char line[longest_line];
  int64_t rows = 0;
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) return -1; /* the first line holds names */
  while (rows < most_rows && fgets(line, sizeof line, file)) {
    char *at = line;
    for (int k = 0; k < columns; ++k, ++at) X[rows * columns + k] = strtod(at, &at);
    y[rows++] = strtod(at, NULL);
  }
  fclose(file);
  return rows;
}

static int same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

int main(int argc, char **argv) {
  const double w[columns] = {0}, b = 0, lambda = 0.1;
  double numbers[columns + 2]; /* loss, gradient by w, gradient by b */
  const int64_t rows = argc > 1 ? read_table(argv[1]) : -1;
  void *workspace;
  int status, same = 0;
  if (rows < 0) return 1;
  workspace = malloc(logistic_workspace(rows, columns) + 1);
  if (!workspace) return 1;
  status = logistic_grad(rows, columns, X, y, w, b, lambda, &numbers[0], &numbers[1], &numbers[columns + 1], workspace);
  free(workspace);
  if (status != logistic_OK) return status;
  printf("loss = %.16g\ngrad_w = [%.16g, %.16g, %.16g, ...]\n", numbers[0], numbers[1], numbers[2], numbers[3]);
  printf("grad_b = %.16g\n", numbers[columns + 1]);
  if (argc > 2) {
    FILE *file = fopen(argv[2], "r");
    double value;
    int k = 0;
    while (file && k < columns + 2 && fscanf(file, "%lf", &value) == 1) same += same_bits(value, numbers[k++]);
    printf("%d of %d numbers equal those of gradus eval to the last bit\n", same, columns + 2);
    if (file) fclose(file);
    return same == columns + 2 ? 0 : 1;
  }
  return 0;
}
