// Loads a binary of the package as a runtime does. All symbols that the binary needs must exist at once
// (RTLD_NOW), and the binary must report the version of Node-API for which it was built. The functions of Node-API are
// stubs, which are never called.

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#define STUB(name) \
  __attribute__((visibility("default"))) int name(void) { return 1; }
#include "addon_host_symbols.h"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  void* module = dlopen(arguments[1], RTLD_NOW);
  if (module == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int32_t (*version)(void) = (int32_t(*)(void))dlsym(module, "node_api_module_get_api_version_v1");
  if (version == NULL || dlsym(module, "napi_register_module_v1") == NULL) return 1;
  printf("%d\n", version());
  return 0;
}
