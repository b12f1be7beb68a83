/* What the suite's two programs for the micro:bit share: vectors, and a fault that is told. */
#ifndef MICROBIT_VECTORS_H
#define MICROBIT_VECTORS_H

/* Where the suite's lines go; each program has its own way out. */
void microbit_print(const char *text);

#endif
