{
  "includes": ["src-native/addon.gypi"],
  "variables": {
    # The second module has the same sources with system calls that tests can make fail. Never packed.
    "with_faults%": 0
  },
  "conditions": [
    ["with_faults==1", {
      "targets": [
        {
          # node-gyp-build takes the first file of build/Release: this one sorts behind the addon.
          "target_name": "test_faults",
          "sources": ["test/native/faults_module.cc", "test/native/unix_calls.cc"]
        }
      ]
    }]
  ]
}
