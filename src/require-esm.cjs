// For the doors of CommonJS (dist/index.cjs and others), which give the ES module itself and no second instance of it:
// what they do where the `require` at hand cannot load an ES module.
'use strict'
const { Module } = require('node:module')
const path = require('node:path')

/**
 * A loader that runs modules itself (Jest) may know CommonJS only, and take `import` for a syntax error.
 *
 * @param {any} error
 */
const isCommonJSOnly = ({ name, code }) => name === 'SyntaxError' || code === 'ERR_REQUIRE_ESM'

/** @param {string} name @param {unknown} cause What `require` threw. */
module.exports = (name, cause) => {
  if (!isCommonJSOnly(cause)) throw cause
  try {
    // `module.require` is Node's own also where `require` and `createRequire` are not: one instance for all files of Jest.
    return new Module(__filename).require(path.join(__dirname, name))
  } catch (error) {
    if (!isCommonJSOnly(error)) throw error
    const advice =
      "use Node 20.19 or later, on the 22 line 22.12 or later, without --no-experimental-require-module, or await import('reuseport')"
    const message = `reuseport is an ES module, which require() cannot load here (Node ${process.versions.node}): ${advice}`
    throw Object.assign(new Error(message, { cause }), { code: 'ERR_REQUIRE_ESM' })
  }
}
