{
  "variables": {
    # The second module has the same sources with system calls that tests can make fail. Never packed.
    "with_faults%": 0
  },
  "target_defaults": {
    "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api"],
    # A thread may be terminated inside a call: what cannot be thrown then is no reason to abort the process.
    "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
    "include_dirs": ["src-native"],
    "sources": [
      "src-native/addon.cc",
      "src-native/addon_steering.cc",
      "src-native/addon_supervision.cc",
      "src-native/convert.cc",
      "src-native/convert_results.cc",
      "src-native/convert_steering.cc",
      "src-native/convert_values.cc",
      "src-native/core/address.cc",
      "src-native/core/filter_program.cc",
      "src-native/core/option_table.cc",
      "src-native/core/owned_descriptors.cc",
      "src-native/core/shared_socket.cc",
      "src-native/core/socket_option.cc",
      "src-native/core/supervision.cc",
      "src-native/core/sys.cc"
    ],
    # Small rather than fast: it runs once per listen, and inlining makes it three times as large. Nothing is thrown, so
    # there is nothing to unwind.
    "cflags": ["-Os", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections",
               "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-Wall", "-Wextra"],
    "cflags!": ["-O3"],
    "cflags_cc": ["-std=c++17", "-fno-rtti"],
    "ldflags": ["-Wl,-z,relro,-z,now", "-Wl,--gc-sections"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "11.0"
    },
    "conditions": [
      ["OS in 'linux android'.split()", {
        "sources": ["src-native/platform/atomic/open_socket.cc", "src-native/platform/linux/reuse_port.cc",
                    "src-native/platform/linux/cpus.cc",
                    "src-native/platform/linux/dump_parser.cc", "src-native/platform/linux/group_lock.cc",
                    "src-native/platform/linux/pidfd.cc", "src-native/platform/linux/slot_probe.cc",
                    "src-native/platform/linux/socket_dump.cc", "src-native/platform/linux/socket_holders.cc",
                    "src-native/platform/linux/steering.cc", "src-native/platform/linux/take_socket.cc"]
      }],
      ["OS=='mac'", {
        "sources": ["src-native/platform/darwin/open_socket.cc", "src-native/platform/darwin/reuse_port.cc",
                    "src-native/platform/other/cpus.cc", "src-native/platform/other/group_lock.cc", "src-native/platform/other/pidfd.cc",
                    "src-native/platform/other/socket_dump.cc", "src-native/platform/other/socket_holders.cc",
                    "src-native/platform/other/steering.cc"]
      }],
      ["OS=='freebsd'", {
        "sources": ["src-native/platform/atomic/open_socket.cc", "src-native/platform/freebsd/reuse_port.cc",
                    "src-native/platform/other/cpus.cc", "src-native/platform/other/group_lock.cc", "src-native/platform/other/pidfd.cc",
                    "src-native/platform/other/socket_dump.cc", "src-native/platform/other/socket_holders.cc",
                    "src-native/platform/other/steering.cc"]
      }],
      ["OS in 'openbsd netbsd'.split()", {
        "sources": ["src-native/platform/atomic/open_socket.cc", "src-native/platform/bsd/reuse_port.cc",
                    "src-native/platform/other/cpus.cc", "src-native/platform/other/group_lock.cc", "src-native/platform/other/pidfd.cc",
                    "src-native/platform/other/socket_dump.cc", "src-native/platform/other/socket_holders.cc",
                    "src-native/platform/other/steering.cc"]
      }],
      ["OS=='solaris'", {
        "sources": ["src-native/platform/atomic/open_socket.cc", "src-native/platform/sunos/reuse_port.cc",
                    "src-native/platform/other/cpus.cc", "src-native/platform/other/group_lock.cc", "src-native/platform/other/pidfd.cc",
                    "src-native/platform/other/socket_dump.cc", "src-native/platform/other/socket_holders.cc",
                    "src-native/platform/other/steering.cc"]
      }],
      ["OS=='aix'", {
        "sources": ["src-native/platform/aix/open_socket.cc", "src-native/platform/aix/reuse_port.cc",
                    "src-native/platform/other/cpus.cc", "src-native/platform/other/group_lock.cc", "src-native/platform/other/pidfd.cc",
                    "src-native/platform/other/socket_dump.cc", "src-native/platform/other/socket_holders.cc",
                    "src-native/platform/other/steering.cc"]
      }]
    ]
  },
  "targets": [
    { "target_name": "reuseport", "sources": ["src-native/module.cc"] }
  ],
  "conditions": [
    ["with_faults==1", {
      "targets": [
        {
          # node-gyp-build takes the first file of build/Release: this one sorts behind the addon.
          "target_name": "test_faults",
          "sources": ["test/native/faults_module.cc"]
        }
      ]
    }]
  ]
}
