// The parent's own code is compiled as before: as C++17, with its own options.
static_assert(__cplusplus < 202002L);
#ifndef PARENT
#error "the parent's options are gone"
#endif
int main() {}
