/**
 * Writes the reference pages, the JSON Schemas, the charts of bench/results and the module of the block codecs: `npm run docs`. With `--check` it changes nothing and
 * fails when a file is not what the code says.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { COMPONENTS } from '../packages/millrace/src/cli/components.ts'
import { BLOCKS_MODULE_FILE, blocksModule } from './docs/blocks-module.ts'
import { componentFile, componentPage, componentsPage } from './docs/components.ts'
import { cliPage } from './docs/cli.ts'
import { apiPages } from './docs/api.ts'
import { alertRules } from './docs/alerts.ts'
import { errorsPage } from './docs/errors.ts'
import { libraryOptions } from './docs/library-options.ts'
import { eventsPage } from './docs/events.ts'
import { grafanaDashboard } from './docs/grafana.ts'
import { metricsPage } from './docs/metrics.ts'
import { optionsPage } from './docs/options.ts'
import { CHARTS_FOLDER, performancePages } from './docs/performance.ts'
import { readmeWithBenchmarks } from './docs/readme-benchmarks.ts'
import { componentSchema } from '../packages/millrace/src/cli/spec.ts'
import { fileSchema } from '../packages/millrace/src/dialects/schema.ts'

/** Folders that hold nothing but generated files. */
const GENERATED_FOLDERS = ['docs/api', 'docs/components', 'docs/monitoring', 'docs/schema', CHARTS_FOLDER]

async function pages(): Promise<Map<string, string>> {
  const files = new Map([
    ['docs/options.md', optionsPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/events.md', eventsPage()],
    ['docs/metrics.md', metricsPage()],
    ['docs/monitoring/alerts.yaml', alertRules()],
    ['docs/monitoring/grafana.json', grafanaDashboard()],
    ['docs/cli.md', await cliPage()],
    ['docs/components/README.md', componentsPage()],
    [BLOCKS_MODULE_FILE, await blocksModule()],
    ...(await performancePages()),
    ['README.md', await readmeWithBenchmarks()],
    ['docs/schema/pipeline.json', JSON.stringify(fileSchema(), undefined, 1)],
    ...libraryOptions(),
    ...apiPages(),
  ])
  for (const component of COMPONENTS) {
    const name = componentFile(component)
    files.set(`docs/components/${name}.md`, await componentPage(component))
    files.set(`docs/schema/${name}.json`, JSON.stringify(componentSchema([component]), undefined, 1))
  }
  return files
}

function urlOf(file: string): URL {
  return new URL(`../${file}`, import.meta.url)
}

async function leftovers(wanted: ReadonlyMap<string, string>): Promise<string[]> {
  const lists = await Promise.all(
    GENERATED_FOLDERS.map(async (folder) =>
      (await readdir(urlOf(folder)).catch(() => [])).map((name) => `${folder}/${name}`),
    ),
  )
  return lists.flat().filter((file) => !wanted.has(file))
}

const check = process.argv.includes('--check')
function tell(file: string, done: string, wrong: string): void {
  if (!check) process.stdout.write(`${file} ${done}\n`)
  else {
    process.stderr.write(`${file} ${wrong}: run "npm run docs"\n`)
    process.exitCode = 1
  }
}

const wanted = await pages()
for (const [file, page] of wanted) {
  const text = `${page}\n`
  if ((await readFile(urlOf(file), 'utf8').catch(() => '')) === text) continue
  if (!check) {
    await mkdir(dirname(urlOf(file).pathname), { recursive: true })
    await writeFile(urlOf(file), text)
  }
  tell(file, 'written', 'is not what the code says')
}
for (const file of await leftovers(wanted)) {
  if (!check) await rm(urlOf(file))
  tell(file, 'removed', 'is about something that is not there')
}
