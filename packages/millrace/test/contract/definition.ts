/**
 * What holds for every source and sink of the catalog before one is created.
 */
import { describe, expect, test } from 'vitest'
import { planned, type CatalogEntry } from '../../src/catalog.ts'
import type { Documented, SinkDefinition, SourceDefinition } from '../../src/contracts/definitions.ts'
import type { Fields } from '../../src/options/declaration.ts'
import { describe as describeFields } from '../../src/options/describe.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { writtenName } from '../../src/options/spellings.ts'

export function describeDefinition(entry: CatalogEntry<SourceDefinition | SinkDefinition>): void {
  describe(`the definition of ${entry.name}`, () => {
    test('says the same before and after it is loaded', async () => {
      const loaded = await entry.load()
      for (const key of ['name', 'summary', 'options', 'rules', 'endpoints'] as const)
        expect(loaded[key], key).toBe(entry[key])
    })

    test('documents every option in whole sentences', () => {
      expect(entry.summary).toMatch(/^[A-Z].*\.$/)
      for (const row of describeFields(entry.options)) expect(row.doc, row.name).toMatch(/^[A-Z0-9`].*\.$/s)
    })

    test('has examples, which can be used', async () => {
      const examples = await examplesOf(entry)
      expect(examples.length).toBeGreaterThan(0)
      for (const { title, options } of examples) {
        expect(title).toMatch(/^[A-Z].*[^.]$/)
        expect(parseOptions(entry, options).problems).toEqual([])
      }
    })

    test('refuses to be without each required option, by its name', async () => {
      const [example] = await examplesOf(entry)
      for (const { name } of describeFields(entry.options).filter(({ required }) => required)) {
        const rest = { ...example!.options }
        delete rest[writtenName(name, entry.options[name]!, rest)!]
        expect(parseOptions(entry, rest).problems.map(({ message }) => message)).toEqual([
          expect.stringContaining(`"${name}"`),
        ])
      }
    })

    test('says where it reads or writes of options that could not all be read', async () => {
      const [example] = await examplesOf(entry)
      const { endpoints } = planned(entry, parseOptions(entry, example!.options).options)
      const { topics, brokers, joinsTransactions } = planned(entry, {}).endpoints
      expect([topics, brokers]).toEqual([[], []])
      expect(joinsTransactions).toBe(endpoints.joinsTransactions)
      expect(endpoints.topics.length > 0).toBe(endpoints.brokers.length > 0)
    })
  })
}

async function examplesOf(
  entry: CatalogEntry<Documented<Fields>>,
): Promise<readonly { readonly title: string; readonly options: { [name: string]: unknown } }[]> {
  return (await entry.load()).examples ?? []
}
