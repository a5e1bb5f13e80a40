// Pure: reads a Dockerfile as far as snippets have it.

const INSTRUCTIONS = new Set(
  'FROM RUN CMD LABEL EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG STOPSIGNAL HEALTHCHECK SHELL'.split(' '),
)

/**
 * @returns What the container starts, as words.
 * @throws where an instruction is unknown, the first is none that may come first, or CMD or ENTRYPOINT starts a shell,
 * which would be process 1 and pass no signal on.
 */
export function checkDockerfile(code: string): readonly (readonly string[])[] {
  const lines = code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const instructions = lines.map((line) => {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
    if (!INSTRUCTIONS.has(name)) throw new Error(`There is no instruction '${line}'`)
    return { name, rest }
  })
  if (!['FROM', 'ARG'].includes(instructions[0]?.name ?? '')) throw new Error('A Dockerfile begins with FROM')
  return instructions
    .filter(({ name }) => name === 'CMD' || name === 'ENTRYPOINT')
    .map(({ rest }) => JSON.parse(rest) as readonly string[])
}
