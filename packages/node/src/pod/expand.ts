/**
 * Replaces $(NAME) by the value of a variable. $$ stands for a dollar sign, so $$(NAME) stays $(NAME); references to unknown variables
 * stay as they are, and so does everything else that is not of that form.
 */
export function expandVariables(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (lookUp(name) ?? whole),
  );
}
