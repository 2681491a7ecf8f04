/** The tests of librdkafka that talk to a broker, from the table in its `tests/test.c`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The brokers that a test wants. The first two are those of librdkafka, which has a third for brokers of Kafka 2.3; its
 * brokers check ACLs in all of them, but those of three nodes of Apache Kafka cannot start with ACLs and without security.
 */
export type Scenario = 'default' | 'noautocreate' | 'acls'

const WITH_ACLS = new Set(['0081', '0109', '0115', '0119'])

/** Tests that share a number; the runner runs them together. */
export interface NumberedTests {
  readonly number: string
  readonly scenario: Scenario
  readonly names: readonly string[]
}

const ROW = /_TEST\((\w+),\s*([\w| ]+?)\s*(?:,((?:[^()]|\([^()]*\))*))?\)/g

/**
 * Local tests are left out: they run without a broker, or against the mock cluster inside librdkafka, and prove nothing about
 * ours. So are those that librdkafka runs by hand only.
 */
export function readTests(library: string): NumberedTests[] {
  const source = readFileSync(join(library, 'tests', 'test.c'), 'utf8')
  const table = source.slice(source.indexOf('struct test tests[]'), source.indexOf('{NULL}};'))
  const tests = [...table.matchAll(ROW)]
    .filter(([, , flags]) => !/TEST_F_(?:LOCAL|MANUAL)/.test(flags!))
    .map(([, name, , rest]) => ({
      name: name!,
      scenario: scenarioOf(name!, rest ?? ''),
    }))
  const numbered = Map.groupBy(tests, ({ name, scenario }) => `${scenario} ${name.slice(0, 4)}`)
  return [...numbered.values()].map((group) => ({
    number: group[0]!.name.slice(0, 4),
    scenario: group[0]!.scenario,
    names: group.map(({ name }) => name),
  }))
}

function scenarioOf(name: string, rest: string): Scenario {
  if (/\.scenario = "noautocreate"/.test(rest)) return 'noautocreate'
  return WITH_ACLS.has(name.slice(0, 4)) ? 'acls' : 'default'
}
