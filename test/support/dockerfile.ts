// Pure: reads a Dockerfile as far as snippets and examples have it.

const INSTRUCTIONS = new Set(
  'FROM RUN CMD LABEL EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG STOPSIGNAL HEALTHCHECK SHELL'.split(' '),
)

/**
 * The instructions without comments, each with the rest of its line.
 * @throws where one is unknown.
 */
export function instructionsOf(dockerfile: string): readonly { readonly name: string; readonly rest: string }[] {
  return dockerfile
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
      if (!INSTRUCTIONS.has(name)) throw new Error(`There is no instruction '${line}'`)
      return { name, rest: rest.trim() }
    })
}

/**
 * @returns What the container starts, as words.
 * @throws where an instruction is unknown, the first is none that may come first, or CMD or ENTRYPOINT starts a shell,
 * which would be process 1 and pass no signal on.
 */
export function checkDockerfile(code: string): readonly (readonly string[])[] {
  const instructions = instructionsOf(code)
  if (!['FROM', 'ARG'].includes(instructions[0]?.name ?? '')) throw new Error('A Dockerfile begins with FROM')
  return instructions
    .filter(({ name }) => name === 'CMD' || name === 'ENTRYPOINT')
    .map(({ rest }) => JSON.parse(rest) as readonly string[])
}
