// Swagger UI resolves the references of what it shows, for which it first normalizes the whole
// document it is given: some seconds for this one. So it is given the shown part alone, with the
// components that are referred to from there.
const OnlyWhatIsShown = ({ fn }) => {
  const resolveWhole = fn.resolveSubtree;

  // Copies components that `value` refers to, and those that they refer to.
  const copyComponents = (value, from, to) => {
    if (Array.isArray(value)) {
      value.forEach((item) => copyComponents(item, from, to));
    } else if (value && typeof value === "object") {
      const [, section, name] = /^#\/components\/([^/]+)\/([^/]+)$/.exec(value.$ref) ?? [];
      const component = from[section]?.[name];
      if (component && !to[section]?.[name]) {
        (to[section] ??= {})[name] = component;
        copyComponents(component, from, to);
      }
      Object.values(value).forEach((member) => copyComponents(member, from, to));
    }
  };

  const resolveSubtree = (document, path, options) => {
    const [section, name, method] = path;
    const { openapi, info, servers, components } = document;
    const shown = { openapi, info, servers, paths: {}, components: {} };
    if (section === "paths" && document.paths[name]?.[method]) {
      shown.paths[name] = { [method]: document.paths[name][method] };
    } else if (section === "components" && components[name]) {
      shown.components[name] = components[name];
    } else {
      return resolveWhole(document, path, options);
    }
    copyComponents([shown.paths, shown.components], components, shown.components);
    return resolveWhole(shown, path, options);
  };

  return { fn: { resolveSubtree } };
};

window.onload = () => {
  window.ui = SwaggerUIBundle({
    dom_id: "#swagger-ui",
    url: "/openapi.json",
    deepLinking: true,
    // Hundreds of schemas below the operations take seconds to render; each is shown where it is
    // used.
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    docExpansion: "none",
    tryItOutEnabled: true,
    validatorUrl: "none",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [OnlyWhatIsShown],
  });
};
