/** Pipelines with names, which `$subPipeline` runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { runCase } from '../../src/cli/cases/run-case.ts'
import { readPipelineFile } from '../../src/dialects/index.ts'
import { compareVersions } from '../../src/dialects/named-pipelines.ts'

let file: string
beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'millrace-named-')), 'file.yaml')
})
afterAll(() => rm(join(file, '..'), { recursive: true }))

async function write(content: object): Promise<void> {
  const ends = { source: { type: 'file', path: 'a' }, sink: { type: 'file', path: 'b' } }
  await writeFile(file, stringify({ ...ends, ...content }))
}

const problemsOf = async (content: object): Promise<string[]> => {
  await write(content)
  return (await readPipelineFile(file, {})).problems.map(
    ({ path, line, message, suggestion }) => `${line} ${path}: ${message} (${suggestion})`,
  )
}

const clean = (version: string | number | undefined, mark: string): object => ({
  name: 'clean',
  ...(version === undefined ? {} : { version }),
  stages: [{ $unset: 'draft' }, { $set: { mark } }],
})

describe('a sub-pipeline', () => {
  const list = [clean('1.2.0', 'old'), clean('1.10.0', 'new'), clean('2.0.0-beta', 'beta')]
  const byName = {
    trim: [{ $set: { trimmed: true } }],
    'scale@2': { stages: [{ $set: { n: { $multiply: ['$n', '$$GLOBALS.by'] } } }] },
    both: { pipeline: [{ $subPipeline: ['trim', { pipeline: 'scale', version: 2 }] }] },
    fails: [{ $set: { x: { $toInt: 'no number' } } }],
  }
  test.each([
    { name: 'by name and version', pipelines: list, entries: ['clean@1.2.0'], want: { n: 2, mark: 'old' } },
    {
      name: 'by name means the highest version',
      pipelines: list.slice(0, 2),
      entries: ['clean'],
      want: { n: 2, mark: 'new' },
    },
    {
      name: 'by name with its version beside',
      pipelines: list,
      entries: [{ pipeline: 'clean', version: '1.10.0' }],
      want: { n: 2, mark: 'new' },
    },
    {
      name: 'of a map, with globals of the entry',
      pipelines: byName,
      entries: ['trim', { pipeline: 'scale@2', globals: { by: 10 } }],
      want: { n: 20, draft: 1, trimmed: true },
    },
    {
      // They were values: the expression itself was multiplied, which failed.
      name: 'with globals that are expressions over those around them',
      pipelines: byName,
      globals: { by: 3 },
      entries: [{ pipeline: 'scale@2', globals: { by: { $add: ['$$GLOBALS.by', 1] } } }],
      want: { n: 8, draft: 1 },
    },
    {
      name: 'that runs others, with the globals of the file',
      pipelines: byName,
      globals: { by: 3 },
      entries: ['both'],
      want: { n: 6, draft: 1, trimmed: true },
    },
    {
      name: 'with an input of its own',
      pipelines: byName,
      entries: [{ pipeline: 'trim', input: { inner: '$n' } }],
      want: { inner: 2, trimmed: true },
    },
    {
      name: 'side by side with another one, with an input for both',
      pipelines: byName,
      entries: [{ parallel: ['trim', { pipeline: [{ $set: { second: 1 } }] }], merge: 'zip', input: { i: '$n' } }],
      want: { i: 2, trimmed: true, second: 1 },
    },
    {
      name: 'that fails and is skipped leaves what came in',
      pipelines: byName,
      entries: [{ pipeline: 'fails', input: { i: '$n' }, onError: 'skip' }],
      want: { n: 2, draft: 1 },
    },
  ])('$name', async ({ pipelines, globals, entries, want }) => {
    await write({ pipelines, globals, stages: [{ $subPipeline: entries }] })
    expect(await runCase(file, {}, { given: [{ n: 2, draft: 1 }] })).toEqual([want])
  })

  test('may come before the sink alone', async () => {
    await write({
      pipelines: list,
      sink: { type: 'pipeline', pipeline: 'clean', version: '1.2.0', next: { type: 'file', path: 'b' } },
    })
    expect(await runCase(file, {}, { given: [{ n: 2, draft: 1 }] })).toEqual([{ n: 2, mark: 'old' }])
  })

  test.each([
    {
      name: 'an unknown name',
      content: { pipelines: list, stages: [{ $subPipeline: ['claen'] }] },
      problems: [/stages\.0\.\$subPipeline\.0: Unknown pipeline "claen" \(did you mean "clean"\)/],
    },
    {
      name: 'an unknown version',
      content: { pipelines: list, stages: [{ $subPipeline: ['clean@3'] }] },
      problems: [/Unknown version "3" of pipeline "clean" \(there are "1.2.0", "1.10.0", "2.0.0-beta"\)/],
    },
    {
      name: 'a circle, once',
      content: {
        pipelines: { a: [{ $subPipeline: ['b'] }], b: [{ $subPipeline: ['a'] }] },
        stages: [{ $subPipeline: ['a'] }],
      },
      problems: [/pipelines\.b\.0\.\$subPipeline\.0: Pipeline "a" would run itself: a -> b -> a/],
    },
    {
      name: 'an error inside, in its place and once, used or not',
      content: {
        pipelines: [{ name: 'x', stages: [{ $mtach: {} }] }],
        stages: [{ $subPipeline: ['x', 'x'] }],
      },
      problems: [/^\d+ pipelines\.0\.stages\.0\.\$mtach: Unknown stage "\$mtach"/],
    },
    {
      name: 'a global that is not defined',
      content: { pipelines: byName, stages: [{ $subPipeline: ['scale', { pipeline: 'scale', globals: { by: 1 } }] }] },
      problems: [/pipelines\.scale@2\.stages\.0\.\$set\.n\.\$multiply\.1: Unknown name "by" in globals/],
    },
    {
      name: 'two of one version',
      content: { pipelines: [clean('1', 'a'), clean('1', 'b')] },
      problems: [/pipelines\.1: There are two pipelines "clean" of version "1"/],
    },
    {
      name: 'no name',
      content: { pipelines: [{ stages: [] }] },
      problems: [/pipelines\.0: Missing option "name"/],
    },
    { name: 'no stages', content: { pipelines: { x: {} } }, problems: [/pipelines\.x: Missing option "stages"/] },
    { name: 'no list', content: { pipelines: 'x' }, problems: [/pipelines: Cannot read pipelines/] },
    {
      name: 'globals of an entry that differ from document to document',
      content: { stages: [{ $subPipeline: [{ pipeline: [], globals: { size: { $add: ['$n', 1] } } }] }] },
      problems: [/globals\.size: Cannot use \$n in globals of an entry, as they are the same for all documents/],
    },
    {
      name: 'globals that are none',
      content: { stages: [{ $subPipeline: [{ pipeline: [], globals: 1 }] }] },
      problems: [/stages\.0\.\$subPipeline\.0\.globals: globals must be an object: found 1/],
    },
  ])('$name is refused', async ({ content, problems }) => {
    expect(await problemsOf(content)).toEqual(problems.map((problem) => expect.stringMatching(problem) as string))
  })
})

test.each([
  ['1.2.0', '1.10.0', -1],
  ['1.2', '1.2.0', 0],
  ['v2', '1.9', 1],
  ['1.0.0-beta', '1.0.0', -1],
  ['1.0.0-beta.2', '1.0.0-beta.10', -1],
  [undefined, '0.1', -1],
] as const)('version %s compared with %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign)
  expect(Math.sign(compareVersions(b, a))).toBe(-sign + 0)
})
