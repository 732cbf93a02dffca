/** A fenced block: its language, and the word after it, which says what a test does with it. */
export interface MarkdownBlock {
  readonly language: string
  readonly mark: string
  readonly text: string
}

/** The fenced blocks of a page, in order. */
export function blocksOf(markdown: string): readonly MarkdownBlock[] {
  return [...markdown.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language = '', mark = '', text = '']) => ({
    language,
    mark,
    text,
  }))
}
