import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunResult } from '../../../src/engine/plan.ts'
import { graphFile, runGraphHere } from '../../support/graphs.ts'

const ROWS = [
  { id: 1, a: 1 },
  { id: 2, a: 1e308 },
  { id: 3, a: 2 },
]

/** Writes three rows, the second of which JSON cannot hold. */
async function run(name: string, config: object, strategy: string): Promise<{ result: RunResult; directory: string }> {
  const stages = [
    { id: 'read', function: 'json.read', config: { path: 'in.json' } },
    { id: 'set', function: '$set', inputs: ['read'], config: { x: { $multiply: ['$a', 10] } } },
    { id: 'write', function: name, inputs: ['set'], config },
  ]
  const file = await graphFile(stages, { error_handling: { strategy } })
  const directory = dirname(file)
  await writeFile(join(directory, 'in.json'), JSON.stringify(ROWS))
  return { result: await runGraphHere(file), directory }
}

// One row took all others of its batch with it: they were skipped, too.
describe('a row that cannot be written', () => {
  test.each([
    { name: 'json.write', config: { path: 'out' }, want: '[{"id":1,"a":1,"x":10},{"id":3,"a":2,"x":20}]' },
    { name: 'csv.write', config: { path: 'out' }, want: 'id,a,x\n1,1,10\n3,2,20\n' },
  ])('leaves the others alone in $name', async ({ name, config, want }) => {
    const { result, directory } = await run(name, config, 'continue')
    expect(await readFile(join(directory, 'out'), 'utf8')).toBe(want)
    expect(result.errors.skipped).toEqual({ ENCODE_FAILED: 1 })
    expect(result.written.records).toBe(2)
  })

  test.each([
    { name: 'stdout.write', config: { format: 'jsonl', limit: 2 } },
    { name: 'stdout_stream.write', config: { format: 'csv' } },
    { name: 'stdout_stream.write', config: {} },
  ])('leaves the others alone in $name with $config', async ({ name, config }) => {
    const { result } = await run(name, config, 'continue')
    expect(result.errors.skipped).toEqual({ ENCODE_FAILED: 1 })
    expect(result.written.records).toBe(2)
  })

  test('is not looked at behind the limit of stdout.write', async () => {
    const { result } = await run('stdout.write', { format: 'jsonl', limit: 1 }, 'continue')
    expect([result.errors.skipped, result.written.records]).toEqual([{}, 1])
  })

  test.each(['json.write', 'csv.write', 'stdout_stream.write'])('ends the run without a policy: %s', async (name) => {
    await expect(run(name, name.startsWith('stdout') ? {} : { path: 'out' }, 'stop')).rejects.toMatchObject({
      code: 'ENCODE_FAILED',
      offset: 1n,
    })
  })
})

// It was refused, as the number may have been computed; written as null before that.
test('a row that a stage leaves as it was keeps its numbers, also in the field that the stage sets', async () => {
  const stages = [
    { id: 'read', function: 'json.read', config: { path: 'in.jsonl', format: 'jsonl' } },
    { id: 'set', function: '$set', inputs: ['read'], config: { a: { $ifNull: ['$a', 0] } } },
    { id: 'write', function: 'json.write', inputs: ['set'], config: { path: 'out', format: 'jsonl' } },
  ]
  const file = await graphFile(stages)
  await writeFile(join(dirname(file), 'in.jsonl'), '{"a":1e400,"b":2.0}\n{"b":2.0}\n')
  await runGraphHere(file)
  expect(await readFile(join(dirname(file), 'out'), 'utf8')).toBe('{"a":1e400,"b":2.0}\n{"b":2.0,"a":0}')
})
