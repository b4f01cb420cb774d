// The public symbols of the package, and the examples of their comments.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { relative } from "node:path";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A symbol that users can import. */
export interface PublicSymbol {
  /** With its namespace, e.g. `textIO.read`. */
  readonly name: string;
  /** `file:line`. */
  readonly place: string;
  readonly documented: boolean;
  /** Whether there is something of it at run time. */
  readonly isValue: boolean;
  readonly examples: readonly string[];
}

/** Everything that these modules export, once; what other packages declare and what is internal is left out. */
export function publicSymbols(modules: readonly string[]): PublicSymbol[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => readFileSync(path, "utf8")) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const paths = modules.map((module) => root + module);
  const program = ts.createProgram(paths, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const seen = new Set<ts.Symbol>();
  const found: PublicSymbol[] = [];

  const visit = (symbol: ts.Symbol, name: string): void => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declaration = target.declarations?.[0];
    if (declaration === undefined || seen.has(target)) return;
    seen.add(target);
    if (ts.isSourceFile(declaration)) {
      for (const each of checker.getExportsOfModule(target)) visit(each, `${name}.${each.name}`);
      return;
    }
    const file = declaration.getSourceFile();
    const tags = target.getJsDocTags(checker);
    if (file.fileName.includes("node_modules") || tags.some((tag) => tag.name === "internal")) return;
    const { line } = file.getLineAndCharacterOfPosition(declaration.getStart());
    found.push({
      name,
      place: `${relative(root, file.fileName)}:${line + 1}`,
      documented: target.getDocumentationComment(checker).length > 0,
      isValue: (target.flags & ts.SymbolFlags.Value) !== 0 && !isExportedAsType(symbol),
      examples: tags.filter((tag) => tag.name === "example").map(({ text }) => codeOf(ts.displayPartsToString(text))),
    });
  };
  for (const path of paths) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
    for (const each of checker.getExportsOfModule(module)) visit(each, each.name);
  }
  return found;
}

const isExportedAsType = (symbol: ts.Symbol): boolean =>
  symbol.declarations?.some((each) => ts.isExportSpecifier(each) && (each.isTypeOnly || each.parent.parent.isTypeOnly)) === true;

/** An example without what marks it as code. */
function codeOf(text: string): string {
  const fenced = /^```ts\n([^]*?)\n```/.exec(text.trim());
  return fenced?.[1] ?? text.trim().replace(/^`([^]*)`$/, "$1");
}
