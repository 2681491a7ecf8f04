import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile } from '../../src/dialects/index.ts'

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
