/**
 * Reads the JAAS text with which Java clients are given their credentials:
 *
 *     org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="secret";
 *
 * Grammar: `class flag (key=value)* ;`, values in double or single quotes with backslash escapes, or plain words;
 * comments as in Java. Problems never quote the text, as it holds secrets (I8).
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-85
 */

export interface LoginModule {
  /** Mechanisms that it serves: those whose names begin so. */
  readonly family: 'PLAIN' | 'SCRAM' | 'OAUTHBEARER' | 'AWS_MSK_IAM'
  /** In their order, as they are written. With PLAIN and SCRAM there are `username` and `password`. */
  readonly options: ReadonlyMap<string, string>
}

export type JaasResult =
  | { readonly module: LoginModule; readonly problem?: undefined }
  | { readonly module?: undefined; readonly problem: string; readonly suggestion?: string | undefined }

const FORM = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";'

/** Reads one login module. @returns credentials, or what is wrong */
export function parseJaas(text: string): JaasResult {
  const tokens = tokenize(text)
  if (tokens === undefined)
    return { problem: 'Cannot read sasl.jaas.config as a quotation mark is not closed', suggestion: `write ${FORM}` }
  const [moduleClass, flag, ...rest] = tokens
  if (moduleClass === undefined || moduleClass.quoted || !/^[\w.$-]+$/.test(moduleClass.text)) {
    return {
      problem: 'Cannot read sasl.jaas.config as it must begin with the class of a login module',
      suggestion: `write ${FORM}`,
    }
  }
  const name = moduleClass.text.slice(moduleClass.text.lastIndexOf('.') + 1)
  const family = FAMILIES[name]
  if (family === undefined) return refuse(name)
  if (flag === undefined || !/^(?:required|requisite|sufficient|optional)$/i.test(flag.text)) {
    return {
      problem: `Cannot read sasl.jaas.config as the word "required" must follow ${name}`,
      suggestion: `write ${FORM}`,
    }
  }
  const end = rest.findIndex(({ text: word, quoted }) => word === ';' && !quoted)
  if (end < 0)
    return { problem: 'Cannot read sasl.jaas.config as it must end with a semicolon', suggestion: 'add ; at the end' }
  if (end < rest.length - 1)
    return { problem: 'Cannot read sasl.jaas.config as there is more than one login module', suggestion: 'keep one' }
  const options = new Map<string, string>()
  for (let i = 0; i < end; i += 3) {
    const [key, equals, value] = rest.slice(i, Math.min(i + 3, end))
    if (key === undefined || equals?.text !== '=' || equals.quoted || value === undefined) {
      return {
        problem: 'Cannot read sasl.jaas.config as its options must have the form key="value"',
        suggestion: `write ${FORM}`,
      }
    }
    options.set(key.text, value.text)
  }
  const needsPassword = family === 'PLAIN' || family === 'SCRAM'
  if (needsPassword && !(options.has('username') && options.has('password')))
    return { problem: `Cannot use sasl.jaas.config as ${name} requires both username and password` }
  return { module: { family, options } }
}

const FAMILIES: { readonly [loginModule: string]: LoginModule['family'] | undefined } = {
  PlainLoginModule: 'PLAIN',
  ScramLoginModule: 'SCRAM',
  OAuthBearerLoginModule: 'OAUTHBEARER',
  IAMLoginModule: 'AWS_MSK_IAM',
}

function refuse(name: string): JaasResult {
  if (name === 'Krb5LoginModule')
    return {
      problem: 'Cannot use Krb5LoginModule as Kerberos (GSSAPI) is not supported',
      suggestion: 'use PLAIN or SCRAM',
    }
  return {
    problem:
      'Cannot use the login module of sasl.jaas.config as only PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and IAMLoginModule are known',
  }
}

interface Token {
  readonly text: string
  readonly quoted: boolean
}

const TOKEN = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'|([;=])|([^\s"';=]+)/y

/** @returns undefined when a quote is not closed */
function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) return undefined
    const quoted = match[1] ?? match[2]
    if (quoted !== undefined) tokens.push({ text: unescape(quoted), quoted: true })
    else if (match[3] !== undefined || match[4] !== undefined)
      tokens.push({ text: (match[3] ?? match[4])!, quoted: false })
  }
  return tokens
}

const ESCAPES: { readonly [letter: string]: string | undefined } = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

function unescape(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPES[letter] ?? letter)
}
