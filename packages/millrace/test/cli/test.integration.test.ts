import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { test as runTests } from '../../src/cli/test.ts'
import { cli } from '../support/cli.ts'

const EXAMPLES = join(import.meta.dirname, '../../../../examples')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
})
afterAll(() => rm(directory, { recursive: true }))

let files = 0
/** Writes a pipeline and its cases. @returns the path of the pipeline */
async function write(stages: string, cases: string, more = ''): Promise<string> {
  const file = join(directory, `${++files}.yaml`)
  await writeFile(
    file,
    `source: {type: kafka, options: {topic: orders, bootstrapServers: "k:9092"}}\nstages: ${stages}\nsink: {type: kafka, options: {topic: out, bootstrapServers: "k:9092", keyField: id}}\n${more}`,
  )
  await writeFile(file.replace('.yaml', '.test.yaml'), cases)
  return file
}

async function diffs(file: string): Promise<readonly (readonly string[] | undefined)[]> {
  const { result } = await runTests([file], { json: true })
  return (result as { files: { cases: { diff?: string[] }[] }[] }).files[0]!.cases.map(({ diff }) => diff)
}

test('the example passes', async () => {
  const { code, stdout } = await cli(['test', join(EXAMPLES, 'orders-etl.yaml')])
  expect(stdout).toContain('ok     keeps high-value orders')
  expect(stdout).toMatch(/\n4 cases passed\n$/)
  expect(code).toBe(0)
})

// The printed example, `millrace test pipelines/*.yaml`, also named the test files and failed.
test('a folder, or all its files by name, runs what has test cases', async () => {
  const folder = await mkdtemp(join(directory, 'folder-'))
  const pipeline = 'source: {type: generate}\nstages: [{$set: {b: 1}}]\nsink: {type: stdout}\n'
  await mkdir(join(folder, 'deep'))
  for (const name of ['one.yaml', 'deep/two.yml', 'untested.yaml']) await writeFile(join(folder, name), pipeline)
  const cases = 'cases: [{given: [{a: 1}], expect: [{a: 1, b: 1}]}]'
  for (const name of ['one.test.yaml', 'deep/two.test.yaml']) await writeFile(join(folder, name), cases)
  expect(await runTests([folder], { json: true })).toMatchObject({ exitCode: 0, summary: '2 cases passed' })
  const named = [join(folder, 'one.test.yaml'), join(folder, 'one.yaml')]
  expect(await runTests(named, { json: true })).toMatchObject({ exitCode: 0, summary: '1 case passed' })
  await expect(runTests([join(folder, 'untested.yaml')], { json: true })).rejects.toThrow('Cannot find test cases for')
  await rm(join(folder, 'deep'), { recursive: true })
  await rm(join(folder, 'one.test.yaml'))
  await expect(runTests([folder], { json: true })).rejects.toThrow(`Cannot find test cases in "${folder}"`)
})

test('a case that fails shows what differs, exit code 1', async () => {
  const file = await write(
    '[{$set: {tier: high}}]',
    'cases: [{name: sets a tier, given: [{id: 1, z: 1}], expect: [{id: 1, z: 1, tier: low}]}]',
  )
  const { code, stdout } = await cli(['test', file])
  expect(code).toBe(1)
  expect(stdout).toContain('FAILED sets a tier')
  expect(stdout).toMatch(/-   "tier": "low",\n +\+   "tier": "high",\n/)
  expect(stdout).toMatch(/1 of 1 case failed\n$/)
})

describe('cases', () => {
  test.each([
    { name: 'the order of fields does not matter', stages: '[]', given: '{a: 1, b: 2}', expected: '[{b: 2, a: 1}]' },
    { name: 'keys come from the sink', stages: '[]', given: '{id: 7}', expected: '[{id: 7, _meta: {key: "7"}}]' },
    { name: 'a tombstone stays one', stages: '[]', given: 'null', expected: '[null]' },
    {
      name: 'what is not an object is a value',
      stages: '[{$set: {b: 1}}]',
      given: '5',
      expected: '[{value: 5, b: 1}]',
    },
    {
      name: 'stages see the origin',
      stages: '[{$set: {p: $_meta.partition, h: $_meta.headers.trace, o: $_meta.offset, t: $_meta.topic}}]',
      given: '{_meta: {partition: 4, headers: {trace: abc}, offset: 9, topic: other}}',
      expected: '[{p: 4, h: abc, o: 9, t: other}]',
    },
    {
      name: 'headers and times can be expected',
      stages: '[]',
      given: '{_meta: {headers: {a: b}, timestamp: 1767225600000}}',
      expected: '[{_meta: {headers: {a: b}, timestamp: 1767225600000}}]',
    },
  ])('$name', async ({ stages, given, expected }) => {
    expect(await diffs(await write(stages, `cases: [{given: [${given}], expect: ${expected}}]`))).toEqual([undefined])
  })

  test('every case starts with new stages', async () => {
    expect(
      await diffs(
        await write(
          '[{$limit: 1}]',
          'cases:\n  - {given: [{a: 1}, {a: 2}], expect: [{a: 1}]}\n  - {given: [{a: 3}], expect: [{a: 3}]}',
        ),
      ),
    ).toEqual([undefined, undefined])
  })

  test('an error is expected by its code or a part of its text, and nothing else passes', async () => {
    const file = await write(
      '[{$match: {a: 1}}]',
      'cases:\n  - {given: [{_raw: "{"}], error: DECODE_FAILED}\n  - {given: [{_raw: "{"}], error: "offset 0"}\n  - {given: [{_raw: "{"}], error: STAGE_FAILED}\n  - {given: [{a: 1}], error: DECODE_FAILED}\n  - {given: [{_raw: "{"}], expect: []}',
    )
    expect(await diffs(file)).toEqual([
      undefined,
      undefined,
      ['- error: STAGE_FAILED', expect.stringMatching(/^\+ error: DECODE_FAILED: /)],
      ['- error: DECODE_FAILED', '+ {', '+   "a": 1', '+ }'],
      [expect.stringMatching(/^\+ error: DECODE_FAILED: /)],
    ])
  })

  test('what the policy skips is not there', async () => {
    expect(
      await diffs(
        await write(
          '[{$match: {a: 1}}]',
          'cases: [{given: [{_raw: "{"}, {a: 1}], expect: [{a: 1}]}]',
          'errorPolicy: skip\n',
        ),
      ),
    ).toEqual([undefined])
  })

  test('variables come from the test file', async () => {
    expect(
      await diffs(
        await write(
          '\n  - $match:\n      a:\n        $gte: ${TEST_MINIMUM}',
          'environment: {TEST_MINIMUM: 5}\ncases: [{given: [{a: 4}, {a: 5}], expect: [{a: 5}]}]',
        ),
      ),
    ).toEqual([undefined])
  })
})

describe('errors', () => {
  test('a pipeline file that is not there is said to be so', async () => {
    const file = join(directory, 'nowhere.yaml')
    expect(await cli(['test', file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Cannot read "${file}": the file does not exist`) as unknown,
    })
  })

  // Problems began with the line and no file, or seemed to be those of the pipeline file.
  test('a problem is reported with its file', async () => {
    const bad = await write('[]', 'cases: 5')
    const broken = await write('[{$mtach: {}}]', 'cases: [{given: [], expect: []}]')
    await expect(runTests([bad], { json: true })).rejects.toMatchObject({
      problems: [{ file: bad.replace(/yaml$/, 'test.yaml') }],
    })
    await expect(runTests([broken], { json: true })).rejects.toMatchObject({ problems: [{ file: broken }] })
  })

  test('a file without cases says where they go', async () => {
    const file = join(directory, 'lonely.yaml')
    await writeFile(file, 'source: {type: generate}\nsink: {type: file, path: x}\n')
    expect(await cli(['test', file])).toMatchObject({
      code: 2,
      stderr: `CONFIG_INVALID: Cannot find test cases for "${file}": write them to "${join(directory, 'lonely.test.yaml')}", as shown by millrace test --help\n`,
    })
  })

  test.each([
    { cases: '{}', problem: 'Missing option "cases"' },
    { cases: 'cases: {}', problem: 'must be a list' },
    { cases: 'cases: [{given: [], expects: []}]', problem: 'Unknown option "expects"' },
    { cases: 'cases: [{given: []}]', problem: 'either expect or error' },
    { cases: 'cases: [{given: [], expect: [], error: x}]', problem: 'either expect or error' },
    { cases: 'environment: 5\ncases: []', problem: 'environment must be an object' },
  ])('$cases', async ({ cases, problem }) => {
    await expect(runTests([await write('[]', cases)], { json: true })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringContaining(problem), line: expect.any(Number) }),
      ]),
    })
  })

  test('a problem of the pipeline file is reported as by lint', async () => {
    await expect(
      runTests([await write('[{$mtach: {}}]', 'cases: [{given: [], expect: []}]')], { json: true }),
    ).rejects.toMatchObject({ problems: [{ message: 'Unknown stage "$mtach"' }] })
  })
})
