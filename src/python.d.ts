/** Python files are text in the bundles: they are written out for others. */
declare module '*.py' {
  const text: string;
  export default text;
}
