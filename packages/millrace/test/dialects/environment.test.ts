import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Quoting } from '../../src/dialects/document.ts'
import { variablesOf, withEnvironment } from '../../src/dialects/environment.ts'
import { readAnyPlan } from '../../src/dialects/index.ts'

const ENVIRONMENT = { HOST: 'k1', EMPTY: '', PORT: '9092', YES: 'true', NOTHING: 'null' }

function replace(value: unknown, quoting: Quoting = 'chosen'): { value: unknown; problems: string[] } {
  const document = { value, positionOf: () => undefined, quoting: () => quoting }
  const { value: replaced, problems } = withEnvironment(document, ENVIRONMENT)
  return {
    value: replaced,
    problems: problems.map(({ path, message, suggestion }) => `${path}: ${message} (${suggestion ?? ''})`),
  }
}

test.each([
  ['${HOST}', 'k1'],
  ['${HOST}:${PORT}', 'k1:9092'],
  ['${NONE:-localhost:9092}', 'localhost:9092'],
  ['${EMPTY:-x}', 'x'],
  ['${EMPTY}', ''],
  ['${NONE:-}', ''],
  ['${HOST:-x}', 'k1'],
  ['$${HOST}', '${HOST}'],
  // It became the text "${HOST}".
  ['${NONE:-${HOST}}', 'k1'],
  ['${NONE:-${EMPTY:-${HOST}:${PORT}}}/x', 'k1:9092/x'],
  ['${NONE:-$${HOST}}', '${HOST}'],
  ['$HOST costs $5', '$HOST costs $5'],
  ['no variable', 'no variable'],
])('makes %j to %j', (text, want) => {
  expect(replace({ a: [{ b: text }] })).toEqual({ value: { a: [{ b: want }] }, problems: [] })
})

test.each([
  ['${HSOT}', 'a.0: Environment variable "HSOT" is not set (did you mean "HOST")'],
  [
    '${SOMETHING_ELSE}',
    'a.0: Environment variable "SOMETHING_ELSE" is not set (set it, or add a default: ${SOMETHING_ELSE:-default})',
  ],
  [
    '${MY-VAR}',
    'a.0: Cannot read the variable "${MY-VAR}" as it must have the form ${NAME} or ${NAME:-default} (write $${ for a literal ${)',
  ],
  [
    '${HOST',
    'a.0: Cannot read the variable "${HOST" as it must have the form ${NAME} or ${NAME:-default} (write $${ for a literal ${)',
  ],
  [
    '${}',
    'a.0: Cannot read the variable "${}" as it must have the form ${NAME} or ${NAME:-default} (write $${ for a literal ${)',
  ],
])('refuses %j', (text, problem) => {
  expect(replace({ a: [text] }).problems).toEqual([problem])
})

test('leaves names and other values alone', () => {
  const value = { '${HOST}': 1, list: [true, null, 2.5], date: new Date(0) }
  expect(replace(value)).toEqual({ value, problems: [] })
})

// In JSON and TOML, variables were always text: `"$gte": "${MIN}"` was true for nothing.
test('reads values of stages that are nothing but a variable by their looks, and nothing else', () => {
  const value = {
    source: { port: '${PORT}' },
    stages: [{ $match: { port: '${PORT}', ok: '${YES}', host: '${HOST}', none: '${NOTHING}' } }],
  }
  for (const quoting of ['none', 'needed'] as const)
    expect(replace(value, quoting).value).toEqual({
      source: { port: '9092' },
      stages: [{ $match: { port: 9092, ok: true, host: 'k1', none: null } }],
    })
  expect(replace(value, 'chosen').value).toMatchObject({ stages: [{ $match: { port: '9092', ok: 'true' } }] })
  const more = { stages: [{ $match: { port: '1${PORT}', list: ['${NONE:-5}'] } }] }
  expect(replace(more, 'none').value).toEqual({ stages: [{ $match: { port: 19_092, list: [5] } }] })
  expect(replace(more, 'needed').value).toEqual({ stages: [{ $match: { port: '19092', list: [5] } }] })
})

test('variables of files are those of a pipeline file, later ones first and those of the process before them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-env-'))
  const [one, two, file] = ['one.env', 'two.env', 'p.yaml'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(one, '# comment\nTOPIC=a\nGROUP="g one"\nRESET=latest\n')
  await writeFile(two, 'TOPIC=b\n')
  await writeFile(
    file,
    'source: {type: kafka, topic: "${TOPIC}", groupId: "${GROUP}", bootstrapServers: k, auto.offset.reset: "${RESET}"}\nsink: {type: stdout}\n',
  )
  expect(await readAnyPlan(file, { RESET: 'earliest' }, { envFile: [one, two] })).toMatchObject({
    source: { options: { topic: ['b'], groupId: 'g one', autoOffsetReset: 'earliest' } },
  })
  await expect(variablesOf([join(directory, 'none.env')])).rejects.toMatchObject({
    code: 'CONFIG_UNREADABLE',
    message: expect.stringMatching(/^Cannot read the variables of ".*none\.env": /),
  })
})
