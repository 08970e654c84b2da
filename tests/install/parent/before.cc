// The parent's own code is still compiled as C++17, with its own options.
static_assert(__cplusplus < 202002L);
#ifndef PARENT
#error "the parent's options are missing"
#endif
int main() {}
