{
  # The sources and the flags of the addon: for binding.gyp in this repository, and for `reuseport build` in an
  # installed package.
  "variables": {
    # 1 for the binaries of the package (scripts/prebuild.mjs).
    "packed%": 0,
    # Stand-ins for what only Linux has: they answer ENOSYS, or find nothing.
    "unsupported_sources": [
      "platform/unsupported/cpus.cc", "platform/unsupported/descriptor_message.cc", "platform/unsupported/group_lock.cc",
      "platform/unsupported/peer.cc", "platform/unsupported/pidfd.cc", "platform/unsupported/queue_watch.cc",
      "platform/unsupported/socket_dump.cc", "platform/unsupported/socket_holders.cc", "platform/unsupported/steering.cc"
    ]
  },
  "target_defaults": {
    "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api"],
    # A thread may be terminated inside a call. JavaScript exceptions cannot be thrown then; without this definition
    # node-addon-api would abort the process.
    "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
    "include_dirs": ["."],
    "sources": [
      "addon/addon.cc",
      "addon/inspection.cc",
      "addon/locks.cc",
      "addon/peers.cc",
      "addon/processes.cc",
      "addon/queues.cc",
      "addon/sockets.cc",
      "addon/steering.cc",
      "convert/inspection.cc",
      "convert/locks.cc",
      "convert/options.cc",
      "convert/peers.cc",
      "convert/processes.cc",
      "convert/queues.cc",
      "convert/sockets.cc",
      "convert/steering.cc",
      "convert/values.cc",
      "core/address.cc",
      "core/filter_check.cc",
      "core/filter_program.cc",
      "core/option_table.cc",
      "core/owned_descriptors.cc",
      "core/process.cc",
      "core/shared_socket.cc",
      "core/socket_option.cc",
      "core/sys.cc"
    ],
    # Small rather than fast: the addon runs once per listen, and inlining would make it three times as large. The code
    # throws no C++ exceptions, so it needs no unwind tables.
    "cflags": ["-Os", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections",
               "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-Wall", "-Wextra", "-Wformat",
               "-Werror=format-security", "-fstack-protector-strong"],
    "cflags!": ["-O3"],
    "cflags_cc": ["-std=c++17", "-fno-rtti", "-D_GLIBCXX_ASSERTIONS", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"],
    "ldflags": ["-Wl,-z,relro,-z,now,-z,noexecstack", "-Wl,--gc-sections"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "11.0"
    },
    "conditions": [
      ["packed==1", { "sources": ["packed/linux/file_status.cc", "packed/library.cc"], "defines": ["REUSEPORT_PACKED"] }],
      ["OS in 'linux android'.split()", {
        "sources": [
          "platform/socket_flags/open_socket.cc", "platform/linux/abstract_name.cc", "platform/linux/cpus.cc",
          "platform/linux/descriptor_message.cc", "platform/linux/dump_parser.cc", "platform/linux/group_lock.cc",
          "platform/linux/netlink_dump.cc", "platform/linux/orphan.cc", "platform/linux/peer.cc",
          "platform/linux/pidfd.cc", "platform/linux/queue_watch.cc", "platform/linux/reuse_port.cc", "platform/linux/slot_probe.cc",
          "platform/linux/socket_dump.cc", "platform/linux/socket_holders.cc", "platform/linux/steering.cc",
          "platform/linux/syn_probe.cc", "platform/linux/take_socket.cc", "platform/linux/unix_name_parser.cc"
        ]
      }, {
        "sources": ["<@(unsupported_sources)"]
      }],
      ["OS=='mac'", {
        "sources": ["platform/darwin/open_socket.cc", "platform/darwin/reuse_port.cc"]
      }],
      ["OS=='freebsd'", {
        "sources": ["platform/socket_flags/open_socket.cc", "platform/freebsd/reuse_port.cc"]
      }],
      ["OS in 'openbsd netbsd'.split()", {
        "sources": ["platform/socket_flags/open_socket.cc", "platform/bsd/reuse_port.cc"]
      }],
      ["OS=='solaris'", {
        "sources": ["platform/socket_flags/open_socket.cc", "platform/sunos/reuse_port.cc"]
      }],
      ["OS=='aix'", {
        "sources": ["platform/aix/open_socket.cc", "platform/aix/reuse_port.cc"]
      }]
    ]
  },
  "targets": [{ "target_name": "reuseport", "sources": ["addon/module.cc"] }]
}
