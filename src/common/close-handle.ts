/** Closes a handle that came with a message and that nobody takes. */
export function closeHandle(handle: unknown): void {
  const { close } = (handle ?? {}) as { readonly close?: unknown }
  if (typeof close === 'function') Reflect.apply(close, handle, [])
}
