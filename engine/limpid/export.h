// Marks what shared objects export: the libraries are compiled with -fvisibility=hidden.

#ifndef LIMPID_EXPORT_H_
#define LIMPID_EXPORT_H_

#define LIMPID_EXPORT __attribute__((visibility("default")))
#define LIMPID_HIDDEN __attribute__((visibility("hidden")))

#endif  // LIMPID_EXPORT_H_
