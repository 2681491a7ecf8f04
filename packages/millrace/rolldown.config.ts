/**
 * How `dist/` is built: a few files per part that is loaded as a whole, instead of one per source file. Opening a hundred small
 * files took a third of the time of `millrace lint`. Names stay readable, so that a stack trace is one. Types are written by `tsc`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'rolldown'
import { chunksByWay } from './chunks.ts'

/** Libraries whose code goes into ours, because every start needs them and they come in many files; their licences go with it. */
const INCLUDED = ['yaml']

const { exports } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')) as {
  exports: { readonly [path: string]: string | { readonly default: string } }
}

/** What users may import, and the command line. */
const entries = Object.values(exports).flatMap((target) => {
  const file = typeof target === 'string' ? undefined : /^\.\/dist\/(.+)\.js$/.exec(target.default)?.[1]
  return file === undefined ? [] : [file]
})

const chunks = chunksByWay(join(import.meta.dirname, 'src'), {
  library: ['index.ts'],
  // Not cli/main.ts: it waits for the command, and a chunk that waits must not hold what the command loads.
  files: [
    'cli/commands.ts',
    'cli/exit-code.ts',
    'cli/output.ts',
    'cli/lint.ts',
    'catalog.ts',
    'dialects/linear/index.ts',
  ],
  run: ['cli/run.ts', 'engine/run-plan.ts', 'engine/run-pipeline.ts', 'sources/kafka/index.ts', 'sinks/kafka/index.ts'],
  broker: ['broker/index.ts'],
  metrics: ['metrics/index.ts'],
})

export default defineConfig({
  input: Object.fromEntries(
    [...entries, 'cli/main'].map((name) => [name, join(import.meta.dirname, 'src', `${name}.ts`)]),
  ),
  platform: 'node',
  logLevel: 'warn',
  // Files may be loaded on demand on one way and at once on another, of which the bundler would warn in each build.
  checks: { ineffectiveDynamicImport: false },
  external: (id) => !/^[./]/.test(id) && !INCLUDED.includes(id),
  output: {
    dir: join(import.meta.dirname, 'dist'),
    format: 'esm',
    // One folder below `dist`, as the source files are one below `src`: from both, package.json is two folders up.
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: { groups: chunks.groups },
  },
  plugins: [
    chunks.plugin,
    {
      name: 'licences',
      generateBundle() {
        for (const library of INCLUDED)
          this.emitFile({
            type: 'asset',
            fileName: `licences/${library}.txt`,
            source: readFileSync(join(import.meta.dirname, '..', '..', 'node_modules', library, 'LICENSE'), 'utf8'),
          })
      },
    },
  ],
})
