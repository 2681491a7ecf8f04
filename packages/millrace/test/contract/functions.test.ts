import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FunctionDefinition } from '../../src/contracts/functions.ts'
import { FUNCTIONS } from '../../src/functions/index.ts'
import {
  describeFunctionDefinition,
  describeSinkFunction,
  describeSourceFunction,
  describeTransform,
} from './function.ts'

for (const definition of FUNCTIONS) describeFunctionDefinition(definition)

/** Their examples call a service, or read files. */
const REACHES_OUT = ['http.fetch', 'stage.pipeline']

for (const definition of FUNCTIONS)
  if (definition.kind === 'transform') describeTransform(definition, !REACHES_OUT.includes(definition.name))

let directory: string
let count = 0
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-contract-'))
})
afterAll(() => rm(directory, { recursive: true }))

const ROWS = [
  { n: 1, t: 'a' },
  { n: 2, t: 'b' },
]

/** What a source is to read as `ROWS`. */
const READ: { readonly [name: string]: string } = {
  'csv.read': 'n,t\n1,a\n2,b\n',
  'json.read': '[{"n":1,"t":"a"},{"n":2,"t":"b"}]',
}

/** What a sink makes of the rows `{n: 1}` and `{n: 2}`. */
const WRITTEN: { readonly [name: string]: string } = {
  'csv.write': 'n\n1\n2\n',
  'json.write': '[{"n":1},{"n":2}]',
}

const PRINTED: { readonly [name: string]: string } = {
  'stdout.write': 'shape: (2, 1)\n┌─────┐\n│ n   │\n│ --- │\n│ i64 │\n╞═════╡\n│ 1   │\n│ 2   │\n└─────┘\n',
  'stdout_stream.write': '{"n":1}\n{"n":2}\n',
}

/** Held to the contract by tests of their own: with a broker, with standard input, and with a file that grows. */
const ELSEWHERE = [
  'source kafka',
  'source stdin.read',
  'source stdin.stream',
  'source file.watch',
  'source stage.pipeline',
  'sink kafka',
]

function find<K extends FunctionDefinition['kind']>(kind: K, name: string): Extract<FunctionDefinition, { kind: K }> {
  return FUNCTIONS.find((one) => one.kind === kind && one.name === name) as Extract<FunctionDefinition, { kind: K }>
}

test('every source and sink among the functions is held to the contract', () => {
  const known = [
    ...Object.keys(READ).map((name) => `source ${name}`),
    ...Object.keys({ ...WRITTEN, ...PRINTED }).map((name) => `sink ${name}`),
  ]
  const all = FUNCTIONS.filter(({ kind }) => kind !== 'transform').map(({ kind, name }) => `${kind} ${name}`)
  expect([...known, ...ELSEWHERE].toSorted()).toEqual(all.toSorted())
})

for (const [name, text] of Object.entries(READ))
  describeSourceFunction(find('source', name), ROWS, async () => {
    const path = join(directory, `read-${count++}`)
    await writeFile(path, text)
    return { path }
  })

for (const [name, text] of Object.entries(WRITTEN))
  describeSinkFunction(find('sink', name), text, async () => {
    const path = join(directory, `written-${count++}`)
    return { options: { path }, text: () => readFile(path, 'utf8') }
  })

describe('standard output', () => {
  let printed = ''
  beforeEach(() => {
    const write = (text: string, done?: () => void): boolean => {
      printed += text
      done?.()
      return true
    }
    vi.spyOn(process.stdout, 'write').mockImplementation(write as typeof process.stdout.write)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  for (const [name, text] of Object.entries(PRINTED))
    describeSinkFunction(find('sink', name), text, async () => {
      printed = ''
      return { options: {}, text: async () => printed }
    })
})
