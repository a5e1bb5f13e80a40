// The packed binaries serve every C library, but glibc before 2.33 exports no stat() and no fstat(). So they ask the
// kernel itself. Linux on 64 bits has one struct stat for the kernel, glibc and musl: stat(2)

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#if defined(__x86_64__)
static_assert(sizeof(struct stat) == 144 && offsetof(struct stat, st_mode) == 24);
#elif defined(__aarch64__)
static_assert(sizeof(struct stat) == 128 && offsetof(struct stat, st_mode) == 16);
#else
#error "The layout of struct stat is known for x64 and arm64 only."
#endif
static_assert(offsetof(struct stat, st_ino) == 8);

extern "C" int stat(const char* path, struct stat* status) {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

extern "C" int fstat(int fd, struct stat* status) {
  return static_cast<int>(syscall(SYS_fstat, fd, status));
}
