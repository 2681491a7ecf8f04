import { defineConfig, type OxlintOverride } from 'oxlint'
import { forbiddenTo, LAYERS, type Layer } from './layers.ts'

const SRC = 'packages/millrace/src'
const PAGE = 'see the table of layers in docs/architecture.md'

/** Clients of others serve tests and benchmarks. */
const CLIENT_LIBRARY = {
  regex: '^@platformatic/kafka|^kafkajs',
  message: 'The package speaks to Kafka by itself: see docs/decisions/20261129-own-protocol.md',
}

const OURSELVES = { regex: '^millrace(?:/|$)', message: 'Import the file itself, not the package' }

/** Files with a loop over records that is longer than a function should be, because it calls nothing per record or field. */
const HOT_LOOPS = [
  // Reads the varints of every record in place, instead of by a function for each.
  `${SRC}/kafka/protocol/locate-records.ts`,
  // Append one record per turn: its key, partition and batch stay in local variables.
  `${SRC}/kafka/producer/append-batch.ts`,
  `${SRC}/kafka/producer/append-records.ts`,
]

/** How many folders deep the files of a row may lie. */
const DEPTHS = [1, 2, 3]

/** Overrides for a row of the table of layers: one for a file, one for each depth of a folder, as imports are relative. */
function layerRules(layer: Layer): OxlintOverride[] {
  if (layer.name.endsWith('.ts')) return [layerRule(layer, layer.name, '\\./')]
  return DEPTHS.map((depth) => layerRule(layer, `${layer.name}/${'*/'.repeat(depth - 1)}*.ts`, `(?:\\.\\./){${depth}}`))
}

/** @param toRoot leads from these files to `src`, as a pattern */
function layerRule(layer: Layer, files: string, toRoot: string): OxlintOverride {
  const patterns = forbiddenTo(layer).map(({ name }) => ({
    regex: `^${toRoot}${name.replace('.', '\\.')}${name.endsWith('.ts') ? '$' : '/'}`,
    message: `${layer.name} must not import ${name}: ${PAGE}`,
  }))
  return {
    files: [`${SRC}/${files}`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [...patterns, OURSELVES, ...(layer.name === 'kafka' ? [] : [CLIENT_LIBRARY])] },
      ],
    },
  }
}

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'promise'],
  categories: { correctness: 'error' },
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['**/dist/**', '**/coverage/**'],
  rules: {
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'typescript/consistent-type-imports': [
      'error',
      { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
    ],
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-unnecessary-type-assertion': 'error',
    'typescript/prefer-readonly': 'error',
    'typescript/return-await': 'error',
    'eslint/eqeqeq': 'error',
    'eslint/prefer-const': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'eslint/max-lines': ['error', { max: 400 }],
    'eslint/max-lines-per-function': ['error', { max: 70 }],
  },
  overrides: [
    {
      // A file without a row in the table may not import the client library either.
      files: [`${SRC}/**`],
      rules: { 'no-restricted-imports': ['error', { patterns: [CLIENT_LIBRARY, OURSELVES] }] },
    },
    {
      // What nothing waits for needs an owner: `inBackground` of resilience/background.ts, or a `catch` of its own.
      files: ['kafka', 'engine', 'sinks', 'sources', 'library'].map((folder) => `${SRC}/${folder}/**`),
      rules: { 'typescript/no-floating-promises': ['error', { ignoreVoid: false }] },
    },
    ...LAYERS.flatMap(layerRules),
    { files: HOT_LOOPS, rules: { 'eslint/max-lines-per-function': 'off' } },
    // A suite is one function, and as long as its subject has behaviour.
    {
      files: ['packages/*/test/**'],
      rules: { 'eslint/max-lines': 'off', 'eslint/max-lines-per-function': 'off' },
    },
  ],
})
