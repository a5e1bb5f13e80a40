#include "addon/addon.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return reuseport::InitAddon(env, exports, reuseport::kSystem);
}

}  // namespace

NODE_API_MODULE(reuseport, Init)
