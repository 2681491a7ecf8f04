import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile } from '../../src/dialects/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-dotted-keys-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function warningsOf(name: string, text: string): Promise<string[]> {
  const file = join(directory, name)
  await writeFile(file, text)
  const { problems, warnings } = await readPipelineFile(file)
  expect(problems).toEqual([])
  return warnings.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}

const linear = (stage: string): string => `[source]\ntype = "generate"\n[sink]\ntype = "stdout"\n[[stages]]\n${stage}\n`
const graph = (name: string, config: string): string =>
  `[pipeline]\nname = "g"\n[[stages]]\nid = "a"\nfunction = "json.read"\nconfig = { path = "a.json" }\n` +
  `[[stages]]\nid = "b"\nfunction = "${name}"\ninputs = ["a"]\n${config}\n` +
  `[[stages]]\nid = "c"\nfunction = "stdout.write"\ninputs = ["b"]\n`

// The other fields of "a" were gone, and the condition matched nothing. Nothing said so.
describe('a dotted key without quotes in a stage of a TOML file', () => {
  test.each([
    ['"$set" = { a.b = 1 }', '6:12 stages.0.$set.a'],
    ['"$addFields" = { x = 1, a.b.c = 1 }', '6:25 stages.0.$addFields.a'],
    ['"$set".a.b = 1', '6:1 stages.0.$set.a'],
    ['[stages."$set"]\na.b = 1', '7:1 stages.0.$set.a'],
  ])('%s replaces all fields of the object', async (stage, place) => {
    expect(await warningsOf('set.toml', linear(stage))).toEqual([
      expect.stringMatching(
        new RegExp(`^${place.replaceAll(/[.$]/g, '\\$&')}: In TOML, a\\.b.* is "a" with an object, which replaces`),
      ),
    ])
  })

  test.each(['config = { a.b = 1 }', '[stages.config]\na.b = 1'])('%s of a stage graph does, too', async (config) => {
    expect(await warningsOf('graph.toml', graph('$set', config))).toEqual([
      expect.stringContaining('stages.1.config.a: In TOML, a.b is "a" with an object'),
    ])
  })

  test('is an object in a condition', async () => {
    expect(await warningsOf('match.toml', linear('"$match" = { a.b = 1 }'))).toEqual([
      expect.stringContaining('6:14 stages.0.$match.a: "a" is compared with a whole object'),
    ])
    expect(await warningsOf('graph.toml', graph('$match', 'config = { a.b = 1 }'))).toEqual([
      expect.stringContaining('"a" is compared with a whole object'),
    ])
  })

  test('is an object in a condition of a connector file', async () => {
    const text =
      'version: "1.0"\nbridges:\n  b:\n    source: { type: kafka, config: { brokers: [k], topic: a, group_id: g } }\n' +
      '    transforms: [{ $match: { a: { b: 1 } } }]\n    sink: { type: kafka, config: { brokers: [k], topic: b } }\n'
    expect(await warningsOf('bridge.yaml', text)).toEqual([
      expect.stringContaining('"a" is compared with a whole object'),
    ])
  })

  test.each([
    '"$set" = { "a.b" = 1 }',
    '"$set" = { a = { b = 1 } }',
    '"$set".a = 1',
    '"$set" = { a = { "$cond" = ["$x", { c.d = 1 }, 2] } }',
    '"$project" = { a.b = 1 }',
    '"$replaceWith" = { a.b = "$c" }',
  ])('%s means what it says', async (stage) => {
    expect(await warningsOf('fine.toml', linear(stage))).toEqual([])
  })
})
