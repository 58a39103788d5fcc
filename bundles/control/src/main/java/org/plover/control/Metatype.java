package org.plover.control;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.MetaTypeInformation;
import org.osgi.service.metatype.MetaTypeService;
import org.osgi.service.metatype.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * What can be configured, as the installed bundles declare it. The metatype service does not tell the limits of a value, so these
 * are read from where it has everything else from.
 */
final class Metatype implements Supplier<Map<String, Metatype.Pid>> {
    private static final Logger LOG = LoggerFactory.getLogger(Metatype.class);
    private static final String FOLDER = "OSGI-INF/metatype";

    /**
     * @param type     one of the constants of {@link AttributeDefinition}
     * @param defaults as text, one for each value
     * @param min      lowest value as text, or empty
     * @param max      highest value as text, or empty
     * @param options  the values to choose from; empty: any
     */
    record Attribute(String key, String name, String help, int type, boolean list, List<String> defaults, String min, String max,
                     List<String> options) {
    }

    /** @param factory whether there can be several, as {@code pid~NAME} */
    record Pid(String pid, boolean factory, String name, String help, List<Attribute> attributes) {
    }

    private record Limits(String min, String max) {
        static final Limits NONE = new Limits("", "");
    }

    private final BundleContext context;
    private final Supplier<MetaTypeService> service;

    Metatype(BundleContext context, Supplier<MetaTypeService> service) {
        this.context = context;
        this.service = service;
    }

    /** By PID or factory PID, in its order. */
    @Override
    public Map<String, Pid> get() {
        Map<String, Pid> found = new TreeMap<>();
        MetaTypeService present = service.get();
        if (present == null) {
            return found;
        }
        for (Bundle bundle : context.getBundles()) {
            MetaTypeInformation information = bundle.getState() == Bundle.ACTIVE ? present.getMetaTypeInformation(bundle) : null;
            if (information == null || information.getPids().length + information.getFactoryPids().length == 0) {
                continue;
            }
            Map<String, Map<String, Limits>> limits = limits(bundle);
            for (String pid : information.getPids()) {
                found.putIfAbsent(pid, pid(information, pid, false, limits));
            }
            for (String pid : information.getFactoryPids()) {
                found.put(pid, pid(information, pid, true, limits));
            }
        }
        return found;
    }

    private static Pid pid(MetaTypeInformation information, String pid, boolean factory, Map<String, Map<String, Limits>> limits) {
        ObjectClassDefinition definition = information.getObjectClassDefinition(pid, null);
        Map<String, Limits> known = limits.getOrDefault(pid, Map.of());
        List<Attribute> attributes = new ArrayList<>();
        for (AttributeDefinition attribute : definition.getAttributeDefinitions(ObjectClassDefinition.ALL)) {
            Limits range = known.getOrDefault(attribute.getID(), Limits.NONE);
            attributes.add(new Attribute(attribute.getID(), text(attribute.getName()), text(attribute.getDescription()), attribute.getType(),
                    attribute.getCardinality() != 0, list(attribute.getDefaultValue()), range.min(), range.max(),
                    list(attribute.getOptionValues())));
        }
        return new Pid(pid, factory, text(definition.getName()), text(definition.getDescription()), attributes);
    }

    /** By PID and key. */
    private static Map<String, Map<String, Limits>> limits(Bundle bundle) {
        Map<String, Map<String, Limits>> byPid = new HashMap<>();
        var files = bundle.findEntries(FOLDER, "*.xml", false);
        if (files == null) {
            return byPid;
        }
        for (URL file : Collections.list(files)) {
            try (InputStream in = file.openStream()) {
                DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
                factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
                Element root = factory.newDocumentBuilder().parse(in).getDocumentElement();
                Map<String, Map<String, Limits>> byDefinition = new HashMap<>();
                elements(root, "OCD").forEach(definition -> byDefinition.put(definition.getAttribute("id"), limits(definition)));
                for (Element designate : elements(root, "Designate")) {
                    String pid = designate.getAttribute("factoryPid").isEmpty() ? designate.getAttribute("pid") : designate.getAttribute("factoryPid");
                    elements(designate, "Object").forEach(object ->
                            byPid.put(pid, byDefinition.getOrDefault(object.getAttribute("ocdref"), Map.of())));
                }
            } catch (IOException | SAXException | ParserConfigurationException e) {
                LOG.warn("{}: {} cannot be read, so the limits in it are not known: {}", bundle.getSymbolicName(), file.getPath(), e.toString());
            }
        }
        return byPid;
    }

    private static Map<String, Limits> limits(Element definition) {
        Map<String, Limits> byKey = new HashMap<>();
        elements(definition, "AD").forEach(attribute ->
                byKey.put(attribute.getAttribute("id"), new Limits(attribute.getAttribute("min"), attribute.getAttribute("max"))));
        return byKey;
    }

    private static List<Element> elements(Element parent, String name) {
        List<Element> found = new ArrayList<>();
        NodeList nodes = parent.getElementsByTagName(name);
        for (int i = 0; i < nodes.getLength(); i++) {
            found.add((Element) nodes.item(i));
        }
        return found;
    }

    private static String text(String text) {
        return text == null ? "" : text;
    }

    private static List<String> list(String[] texts) {
        return texts == null ? List.of() : List.of(texts);
    }
}
