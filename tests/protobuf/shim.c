/* What the runner wants of a newer C library than Debian 12 has: the same functions under their older names. */
#include <stdlib.h>

long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return strtoul(text, end, base); }
long long __isoc23_strtoll(const char *text, char **end, int base) { return strtoll(text, end, base); }
unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }
/* Says only that the streams of the C++ library are there, which they are. */
void _ZSt21ios_base_library_initv(void) {}
