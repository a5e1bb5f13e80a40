import { compile } from '../common/compile.js'

let binary = ''

/** Compiles the C server. Gives the version of the compiler; throws where there is none. */
export function compileCeiling() {
  const { program, compiler } = compile(new URL('./epoll.c', import.meta.url))
  binary = program
  return compiler
}

/** Where it is, once it is compiled. */
export function ceiling() {
  return binary
}
