/** The instructions of a Dockerfile without its comments, each with the rest of its line. */
export function instructionsOf(dockerfile: string): readonly { readonly name: string; readonly rest: string }[] {
  return dockerfile
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', ...rest] = line.split(' ')
      return { name, rest: rest.join(' ').trim() }
    })
}
