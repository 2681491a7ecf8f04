/**
 * Writes the messages of Kafka's protocol, `packages/millrace/src/protocol/`, from the definitions that kafka-clients carries:
 * `npm run protocol`. With `--check` it changes nothing and fails when a file is not what the definitions say; without the
 * jar, which the test bed fetches, there is nothing to compare and it says so.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchJars, jarFolder } from '../test-bed/java.ts'
import { type MessageDefinition, parseDefinition } from './protocol/definitions.ts'
import { type ApiDefinition, apiFile, dataFile, indexFile, kebab } from './protocol/emit.ts'
import { readJar } from './protocol/jar.ts'

const TARGET = join(import.meta.dirname, '../packages/millrace/src/protocol')
const check = process.argv.includes('--check')

/** Messages beside those of APIs, and the file that each goes to. */
const DATA = [
  { file: 'headers', title: 'What requests and responses begin with', names: ['RequestHeader', 'ResponseHeader'] },
  {
    file: 'consumer-protocol',
    title: 'What members of a classic consumer group tell each other',
    names: ['ConsumerProtocolSubscription', 'ConsumerProtocolAssignment'],
  },
]

/** What the generated files should be, by their path below `TARGET`. */
function generate(folder: string): Map<string, string> {
  const jar = readdirSync(folder).find((name) => /^kafka-clients-[\d.]+\.jar$/.test(name))!
  const origin = jar.replace('.jar', '').replace(/-(?=\d)/, ' ')
  const definitions = [...readJar(join(folder, jar), 'common/message/')]
    .filter(([name]) => name.endsWith('.json'))
    .map(([, text]) => parseDefinition(text))
  const named = new Map(definitions.map((definition) => [definition.name, definition]))
  const apis = apisOf(named)
  return new Map([
    ['api-index.ts', indexFile(apis, origin)],
    ...apis.map((api) => [`messages/${kebab(api.name)}.ts`, apiFile(api, origin)] as const),
    ...DATA.map(({ file, title, names }) => {
      const text = dataFile(
        title,
        names.map((name) => named.get(name)!),
        origin,
      )
      return [`messages/${file}.ts`, text] as const
    }),
  ])
}

/** The APIs that clients may use; those between controllers are none of our business. */
function apisOf(named: ReadonlyMap<string, MessageDefinition>): ApiDefinition[] {
  return [...named.values()]
    .filter(
      ({ type, listeners, validVersions }) =>
        type === 'request' && listeners?.includes('broker') && validVersions !== 'none',
    )
    .map((request) => {
      const name = request.name.replace(/Request$/, '')
      return { name, key: request.apiKey!, request, response: named.get(`${name}Response`)! }
    })
    .toSorted((a, b) => a.key - b.key)
}

const folder = jarFolder('broker')
if (check && !existsSync(folder)) {
  process.stdout.write(
    'The messages of the protocol were not compared, as the test bed has not fetched kafka-clients\n',
  )
} else {
  const wanted = generate(await fetchJars())
  mkdirSync(join(TARGET, 'messages'), { recursive: true })
  for (const [file, text] of wanted) {
    const path = join(TARGET, file)
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    report(file, 'written', 'is not what the definitions say')
    if (!check) writeFileSync(path, text)
  }
  for (const name of readdirSync(join(TARGET, 'messages'))) {
    if (wanted.has(`messages/${name}`)) continue
    report(name, 'removed', 'belongs to no definition')
    if (!check) rmSync(join(TARGET, 'messages', name))
  }
}

function report(file: string, done: string, wrong: string): void {
  if (!check) process.stdout.write(`${file} ${done}\n`)
  else {
    process.stderr.write(`${file} ${wrong}: run "npm run protocol"\n`)
    process.exitCode = 1
  }
}
