import { expect, test } from 'vitest'
import { field } from '../../src/options/fields.ts'
import { nameTable, pickUnwritten, spellings, writtenName } from '../../src/options/spellings.ts'

const linger = field.int().optional().kafka('linger.ms').aliases('linger')
const acks = field.string().optional().kafka('acks')

test('an option may be written under its own name, that of Kafka and its aliases, each once', () => {
  expect(spellings('lingerMs', linger)).toEqual(['lingerMs', 'linger.ms', 'linger'])
  expect(spellings('acks', acks)).toEqual(['acks'])
})

test('finds the option behind every name', () => {
  expect([...nameTable({ lingerMs: linger, acks })]).toEqual([
    ['lingerMs', 'lingerMs'],
    ['linger.ms', 'lingerMs'],
    ['linger', 'lingerMs'],
    ['acks', 'acks'],
  ])
})

test('finds the name under which an option is written', () => {
  expect(writtenName('lingerMs', linger, { 'linger.ms': 5 })).toBe('linger.ms')
  expect(writtenName('lingerMs', linger, { acks: 'all' })).toBeUndefined()
})

test('picks values for options that exist and are not written under any name', () => {
  const values = { lingerMs: 5, acks: 'all', other: true }
  expect(pickUnwritten(values, { lingerMs: linger, acks }, { linger: 7 })).toEqual({ acks: 'all' })
})
