import { load } from 'js-yaml'
import type { NewFile } from './placement.ts'

/** A text file of a new repository; the path is relative, with forward slashes. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** What `template.yaml` says of its template. */
export interface TemplateInfo {
  readonly title: string
  readonly description: string
  /** Commands to try first. */
  readonly try: readonly string[]
}

export const TEMPLATE_FILE = 'template.yaml'

export function templateInfo(text: string): TemplateInfo {
  return load(text) as TemplateInfo
}

/**
 * A template's files with the answers filled in for `{{key}}`. A leading `_` of a file or folder becomes a dot, since
 * package managers and walkers pass over hidden files. What is no text stays as it is.
 */
export function render(files: readonly NewFile[], answers: Readonly<Record<string, string>>): NewFile[] {
  return files
    .filter(({ path }) => path !== TEMPLATE_FILE)
    .map(({ path, content }) => ({
      path: path.replace(/(^|\/)_/g, '$1.'),
      content: typeof content === 'string' ? fill(content, answers) : content,
    }))
}

/** `{{key}}` → the answer; a key without an answer is a mistake in the template. */
export function fill(text: string, answers: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
    if (!Object.hasOwn(answers, key)) throw new RangeError(`the template asks for \`${key}\`, which nobody answers`)
    return answers[key]
  })
}
