import { describe, expect, test } from 'vitest'
import { parseJaas } from '../../../src/kafka/security/jaas.ts'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule'

describe('JAAS text', () => {
  test.each([
    { name: 'one line', text: `${PLAIN} required username="user" password="pass";`, want: ['PLAIN', 'user', 'pass'] },
    {
      name: 'a folded block of YAML with its line break',
      text: `${PLAIN} required username="user" password="pass";\n`,
      want: ['PLAIN', 'user', 'pass'],
    },
    {
      name: 'several lines and a comment',
      text: `${SCRAM} required // ours\n  username="u"\n  password="p" /* hush */ ;`,
      want: ['SCRAM', 'u', 'p'],
    },
    {
      name: 'quotes and backslashes inside',
      text: `${PLAIN} required username="a\\"b" password="c\\\\d;e=f";`,
      want: ['PLAIN', 'a"b', 'c\\d;e=f'],
    },
    {
      name: 'single quotes and plain words',
      text: `${PLAIN} REQUIRED username=user password='p w';`,
      want: ['PLAIN', 'user', 'p w'],
    },
    {
      name: 'spaces around the equals sign',
      text: `${PLAIN} required username = "u" password= "p" ;`,
      want: ['PLAIN', 'u', 'p'],
    },
    { name: 'an empty password', text: `${PLAIN} required username="u" password="";`, want: ['PLAIN', 'u', ''] },
    {
      name: 'further options',
      text: `${SCRAM} required username="u" password="p" tokenauth="true";`,
      want: ['SCRAM', 'u', 'p'],
    },
    {
      name: 'a short class name',
      text: 'PlainLoginModule required username="u" password="p";',
      want: ['PLAIN', 'u', 'p'],
    },
  ])('$name', ({ text, want: [family, username, password] }) => {
    const { module } = parseJaas(text)
    expect(module?.family).toBe(family)
    expect(module?.options.get('username')).toBe(username)
    expect(module?.options.get('password')).toBe(password)
  })

  test('keeps the options of a module that needs no password, in their order', () => {
    const { module } = parseJaas(
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="c" extension_pool="p";',
    )
    expect(module?.family).toBe('OAUTHBEARER')
    expect([...(module?.options ?? [])]).toEqual([
      ['clientId', 'c'],
      ['extension_pool', 'p'],
    ])
    expect(parseJaas('software.amazon.msk.auth.iam.IAMLoginModule required;').module?.family).toBe('AWS_MSK_IAM')
  })

  test.each([
    { name: 'nothing', text: '', problem: 'must begin with the class of a login module' },
    {
      name: 'no semicolon',
      text: `${PLAIN} required username="u" password="hush"`,
      problem: 'must end with a semicolon',
    },
    {
      name: 'an open quote',
      text: `${PLAIN} required username="u" password="hush;`,
      problem: 'a quotation mark is not closed',
    },
    {
      name: 'no flag',
      text: `${PLAIN} username="u" password="hush";`,
      problem: 'the word "required" must follow PlainLoginModule',
    },
    { name: 'no password', text: `${PLAIN} required username="hush";`, problem: 'requires both username and password' },
    {
      name: 'options without values',
      text: `${PLAIN} required username password="hush";`,
      problem: 'the form key="value"',
    },
    {
      name: 'two modules',
      text: `${PLAIN} required username="u" password="hush"; ${SCRAM} required username="u" password="hush";`,
      problem: 'more than one login module',
    },
    {
      name: 'Kerberos',
      text: 'com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;',
      problem: 'Kerberos (GSSAPI) is not supported',
    },
    {
      name: 'another class',
      text: 'com.example.HushModule required password="hush";',
      problem: 'only PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and IAMLoginModule are known',
    },
    { name: 'a password alone', text: 'hush', problem: 'only PlainLoginModule' },
    { name: 'quoted text', text: '"hush"', problem: 'must begin with the class' },
  ])('refuses $name, without quoting it', ({ text, problem }) => {
    const result = parseJaas(text)
    expect(result.problem).toContain(problem)
    // I8
    expect(JSON.stringify(result).toLowerCase()).not.toContain('hush')
  })
})
