// Writes docs/reference/, one page for each exported thing, from the docstrings. `--check` writes nothing, and fails where the pages
// in the checkout are others, or an exported thing has no docstring. TypeDoc needs the compiler of TypeScript 6: later ones have no
// interface for programs. It is kept out of the dependencies; where the registry does not answer, the check says so and passes.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { cachedPackage } from './cached-package.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = path.join(root, 'docs/reference')
const isCheck = process.argv.includes('--check')

/** How a program imports what a source exports. */
const MODULES = { index: 'reuseport', supervisor: 'reuseport/supervisor', queues: 'reuseport/queues' }

const OPTIONS = {
  entryPoints: Object.keys(MODULES).map((name) => path.join(root, `src/${name}.ts`)),
  tsconfig: path.join(root, 'tsconfig.json'),
  readme: 'none',
  githubPages: false,
  disableSources: true,
  disableGit: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  logLevel: 'Warn',
  // Types that only the library uses appear by their name.
  validation: { notExported: false, invalidLink: true },
  hidePageHeader: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeDeclarationFormat: 'table',
  expandObjects: true,
  tableColumnSettings: {
    hideInherited: true,
    hideOverrides: true,
    hideSources: true,
    hideModifiers: true,
    hideDefaults: true,
  },
}

/** The folder of TypeDoc. Undefined where the registry does not give it. */
function typedocFolder() {
  const others = ['typedoc-plugin-markdown@4.14.1', 'typescript@6.0.3']
  try {
    return cachedPackage('typedoc', '0.28.20', others)
  } catch (error) {
    if (!isCheck) throw error
    console.log(`The reference was not checked: TypeDoc cannot be installed: ${error.message}`)
    return undefined
  }
}

/** Exported things without a docstring, by their names. */
function withoutDocstring(project) {
  return project.children.flatMap((module) =>
    module.children
      .filter((one) => ![one, ...(one.signatures ?? [])].some(({ comment }) => comment?.hasVisibleComponent()))
      .map(({ name }) => `${module.name}: ${name}`),
  )
}

/** What repeats itself, or is of no use to readers: a docstring for each way to call, and how the library makes its errors. */
function shorten(project) {
  for (const one of project.children.flatMap((module) => module.children)) {
    const [first, ...others] = one.signatures ?? []
    for (const other of others) if (sameComment(first, other)) other.comment = undefined
    if (one.name.endsWith('Error')) one.groups = one.groups?.filter(({ title }) => title !== 'Constructors')
  }
}

function sameComment(one, other) {
  const [first, second] = [one, other].map(({ comment }) =>
    comment
      ?.getShortSummary(false)
      .map(({ text }) => text)
      .join(''),
  )
  return first === second
}

/** The anchor of each row of a table, but for those that a link leads to. */
function dropAnchors(folder) {
  const texts = textsOf(folder)
  const wanted = new Set(
    [...texts.values()].flatMap((text) => [...text.matchAll(/#([\w-]+)\)/g)].map(([, anchor]) => anchor)),
  )
  for (const [name, text] of texts) {
    const short = text.replaceAll(/<a id="([^"]*)"><\/a> /g, (all, anchor) => (wanted.has(anchor) ? all : ''))
    writeFileSync(path.join(folder, name), short)
  }
}

const INDEX = `# Every exported thing

A page each, made from the docstrings by \`npm run docs\`. What belongs together is told in [the reference](../api.md) and in
[the supervisor](../supervisor.md).
`

/** TypeDoc's own index names the modules. */
function writeIndex(folder) {
  const file = path.join(folder, 'README.md')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^.*\n/, INDEX))
}

async function generate(modules, out) {
  const { Application, TSConfigReader } = await import(pathToFileURL(path.join(modules, 'typedoc/dist/index.js')).href)
  const plugin = path.join(modules, 'typedoc-plugin-markdown/dist/index.js')
  const app = await Application.bootstrapWithPlugins({ ...OPTIONS, plugin: [plugin], out }, [new TSConfigReader()])
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc cannot read the sources')
  for (const module of project.children) module.name = MODULES[module.name]
  shorten(project)
  await app.generateOutputs(project)
  dropAnchors(out)
  writeIndex(out)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('TypeDoc has warnings')
  return withoutDocstring(project)
}

function textsOf(folder) {
  if (!existsSync(folder)) return new Map()
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  return new Map(names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]))
}

function differences(one, other) {
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name)).sort()
}

const modules = typedocFolder()
if (modules !== undefined) {
  const out = isCheck ? mkdtempSync(path.join(tmpdir(), 'reuseport-reference-')) : pages
  try {
    const undocumented = await generate(modules, out)
    for (const name of undocumented) console.error(`${name} has no docstring.`)
    const changed = isCheck ? differences(textsOf(out), textsOf(pages)) : []
    for (const name of changed) console.error(`docs/reference/${name} is not what \`npm run docs\` makes.`)
    if (undocumented.length + changed.length > 0) process.exitCode = 1
    else console.log(`docs/reference has ${textsOf(pages).size} pages${isCheck ? ', those of the docstrings' : ''}.`)
  } finally {
    if (isCheck) rmSync(out, { recursive: true })
  }
}
