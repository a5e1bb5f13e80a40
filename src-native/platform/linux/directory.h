#pragma once

#include <dirent.h>

#include <memory>
#include <string>

namespace reuseport {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Null where the folder cannot be read; errno says why.
inline Directory OpenDirectory(const std::string& folder) {
  return Directory(opendir(folder.c_str()));
}

}  // namespace reuseport
