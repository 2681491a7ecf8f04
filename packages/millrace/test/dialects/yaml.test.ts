import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile } from '../../src/dialects/index.ts'
import type { ConfigError } from '../../src/errors/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-yaml-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function read(text: string, name = 'p.yaml'): ReturnType<typeof readPipelineFile> {
  await writeFile(join(directory, name), text)
  return readPipelineFile(join(directory, name), {})
}

// A merge key became a field named "<<" of every record, and x- keys were refused.
describe('merge keys and anchors', () => {
  test('merge in stages and options, with anchors under x- keys at the top', async () => {
    const { plan, problems } = await read(`
x-defaults:
  fields: &fields {a: 1, b: 2}
  source: &source {type: generate, seed: 7}
source: {<<: *source, records: 5}
stages:
  - $set: {<<: *fields, b: 3}
sink: {type: stdout}
`)
    expect(problems).toEqual([])
    expect(plan!.stages[0]!.spec).toEqual({ a: 1, b: 3 })
    expect(plan!.source.options).toMatchObject({ seed: 7, records: 5 })
  })

  test('x- keys are for the top only', async () => {
    const { problems } = await read('source: {type: generate, x-note: 1}\nsink: {type: stdout}\n')
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('Unknown option "x-note"')])
  })
})

// What JSON does not have became an object of something else, a tag of another program was dropped, and a list as a key was
// written as text, each without a word.
describe('what YAML has beyond JSON', () => {
  test.each([
    ['!!binary aGVsbG8=', 'tag !!binary is not supported (remove it)'],
    ['!!set {x, y}', 'tag !!set is not supported (remove it)'],
    ['!!omap [x: 1]', 'tag !!omap is not supported (remove it)'],
    ['!!timestamp 2001-01-01', 'tag !!timestamp is not supported (remove it)'],
    ['!env TOPIC', 'tag !env is not supported (remove it)'],
    ['!item {x: 1}', 'tag !item is not supported (remove it)'],
    ['{? [1, 2] : 3}', 'a key is a list or an object (write it in quotes)'],
    [
      '0xFFFFFFFFFFFFFFFF',
      'integer 0xFFFFFFFFFFFFFFFF is beyond 2^53 and would be rounded (write it in quotes to keep it as text)',
    ],
  ])('%s is refused', async (text, want) => {
    const file = `source: {type: generate, records: 5}\nstages:\n  - $set: {a: ${text}}\nsink: {type: stdout}\n`
    const error = await read(file).catch((error: unknown) => error)
    const [problem, ...others] = (error as ConfigError).problems
    expect(others).toEqual([])
    expect(problem!.line).toBe(3)
    expect(`${problem!.message} (${problem!.suggestion})`).toBe(`Cannot read the file as YAML: ${want}`)
  })

  test('tags of what JSON has, too, are taken', async () => {
    const { plan } = await read(`
source: {type: generate, records: 5}
stages:
  - $set: {a: !!int "5", b: !!str 5, c: !!map {x: 1}, d: !!seq [1], e: !!null "", f: ! x, g: 0xFF}
sink: {type: stdout}
`)
    expect(plan!.stages[0]!.spec).toEqual({ a: 5, b: '5', c: { x: 1 }, d: [1], e: null, f: 'x', g: 255 })
  })
})
