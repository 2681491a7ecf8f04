import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { promisesOf } from '../../../../chaos/promises.ts'
import { Random } from '../../../../chaos/random.ts'
import { SCENARIOS } from '../../../../chaos/scenarios/index.ts'
import { drawSetting, parseSetting, printSetting, type Setting, settingsWithin } from '../../../../chaos/settings.ts'
import { toToml } from '../../../../chaos/toml.ts'
import { ROOT } from '../support/documentation.ts'

const SETTING: Setting = {
  delivery: 'at_least_once',
  acks: 'default',
  brokers: 3,
  partitions: 96,
  file: 'bridge',
  stages: 'none',
  options: 'default',
}

test('a printed setting is read as the same one', () => {
  for (const setting of settingsWithin()) expect(settingsWithin(parseSetting(printSetting(setting)))).toEqual([setting])
})

test('the same seed draws the same setting, within what is allowed and what is asked for', () => {
  const draw = (seed: number): Setting =>
    drawSetting(new Random(seed), { delivery: ['at_least_once', 'exactly_once'] }, parseSetting('brokers=3,file=graph'))
  const drawn = Array.from({ length: 50 }, (_, seed) => draw(seed))
  expect(drawn).toEqual(drawn.map((_, seed) => draw(seed)))
  for (const setting of drawn)
    expect(setting).toMatchObject({ brokers: 3, file: 'graph', delivery: expect.not.stringMatching('at_most_once') })
  for (const value of ['at_least_once', 'exactly_once'])
    expect(drawn.filter(({ delivery }) => delivery === value)).not.toEqual([])
})

test.each([
  ['delivery=twice', 'delivery must be at_least_once or exactly_once or at_most_once: current value is "twice"'],
  ['colour=red', '"colour" is none of delivery'],
])('refuses %s', (text, message) => {
  expect(() => parseSetting(text)).toThrow(message)
})

test('draws nothing that a file cannot say', () => {
  const settings = settingsWithin()
  expect(
    settings.filter(({ delivery, acks }) => delivery === 'exactly_once' && (acks === '0' || acks === '1')),
  ).toEqual([])
  expect(settings.filter(({ delivery, file }) => delivery === 'at_most_once' && file === 'bridge')).toEqual([])
  expect(() => drawSetting(new Random(1), { delivery: ['exactly_once'] }, { acks: ['0'] })).toThrow(
    'No setting is within',
  )
})

test.each(SCENARIOS)('$name runs at the default settings, too', ({ allowed = {} }) => {
  expect(settingsWithin(allowed, { options: ['default'], acks: ['default'] })).not.toEqual([])
})

test.each<[Partial<Setting>, Parameters<typeof promisesOf>[1], ReturnType<typeof promisesOf>]>([
  [{}, ['process', 'connection', 'leader'], ['lost', 'outOfOrder']],
  [{ acks: 'all' }, ['leader'], ['lost', 'outOfOrder']],
  [{ acks: '1' }, ['process'], ['lost', 'outOfOrder']],
  [{ acks: '1' }, ['leader'], ['outOfOrder']],
  [{ acks: '1', brokers: 1 }, ['leader'], ['lost', 'outOfOrder']],
  [{ acks: '0' }, ['process'], []],
  [{ acks: '0' }, [], ['lost', 'outOfOrder']],
  [{ delivery: 'exactly_once' }, ['process', 'connection', 'leader'], ['lost', 'repeated', 'outOfOrder']],
  [{ delivery: 'at_most_once' }, ['process'], ['repeated', 'outOfOrder']],
  [{ delivery: 'at_most_once', acks: '1' }, ['connection'], ['repeated']],
  [{ delivery: 'at_most_once', acks: '0' }, ['connection'], ['repeated']],
])('%j with %j broken promises %j', (setting, breaks, promised) => {
  expect(promisesOf({ ...SETTING, ...setting }, breaks)).toEqual(promised)
})

test('writes a stage graph as TOML', () => {
  const document = {
    global: { delivery: 'exactly_once' },
    stages: [{ id: 'a', inputs: ['b', 'c'], config: { 'session.timeout.ms': 3000, on: true, left: undefined } }],
  }
  expect(toToml(document)).toBe(`[global]
"delivery" = "exactly_once"

[[stages]]
"id" = "a"
"inputs" = ["b", "c"]
"config" = { "session.timeout.ms" = 3000, "on" = true }
`)
})

test('docs/guarantees.md names scenarios that exist, and each of them', () => {
  const page = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8')
  const named = [...page.matchAll(/chaos (?:scenarios|((?:`[\w-]+`(?:, )?)+))/g)]
    .flatMap(([, list = '']) => list.split(/[`, ]+/))
    .filter((name) => name !== '')
  expect([...new Set(named)].toSorted()).toEqual(SCENARIOS.map(({ name }) => name).toSorted())
})
