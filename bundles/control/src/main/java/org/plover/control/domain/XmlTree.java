package org.plover.control.domain;

import java.io.StringReader;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** An XML document as elements. Knows no DTDs and no entities of the document's own, and bounds size, depth and number of elements. */
final class XmlTree {
    static final int CHARS_MAX = 256 * 1024;
    static final int DEPTH_MAX = 32;
    static final int ELEMENTS_MAX = 5_000;

    final String name;
    private final String namespace;
    private final Map<String, String> attributes;
    private final List<XmlTree> children = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();

    private XmlTree(String name, String namespace, Map<String, String> attributes) {
        this.name = name;
        this.namespace = namespace == null ? "" : namespace;
        this.attributes = attributes;
    }

    static XmlTree parse(String document) throws DomainException {
        if (document.length() > CHARS_MAX) {
            throw new DomainException("the description has " + document.length() + " characters; at most " + CHARS_MAX + " are read");
        }
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        factory.setXMLResolver((publicId, systemId, base, namespace) -> {
            throw new XMLStreamException("it refers to something outside of it");
        });
        try {
            return read(factory.createXMLStreamReader(new StringReader(document)));
        } catch (XMLStreamException e) {
            String where = e.getLocation() == null ? "" : "line " + e.getLocation().getLineNumber() + ": ";
            throw new DomainException("it is not well-formed XML: " + where + firstLine(e));
        }
    }

    private static XmlTree read(XMLStreamReader reader) throws XMLStreamException, DomainException {
        Deque<XmlTree> open = new ArrayDeque<>();
        XmlTree root = null;
        int elements = 0;
        while (reader.hasNext()) {
            switch (reader.next()) {
                case XMLStreamConstants.START_ELEMENT -> {
                    XmlTree element = element(reader);
                    if (++elements > ELEMENTS_MAX || open.size() >= DEPTH_MAX) {
                        throw new DomainException("line " + reader.getLocation().getLineNumber() + ": more than " + ELEMENTS_MAX
                                + " elements, or nested deeper than " + DEPTH_MAX);
                    }
                    if (root == null) {
                        root = element;
                    } else {
                        open.peek().children.add(element);
                    }
                    open.push(element);
                }
                case XMLStreamConstants.END_ELEMENT -> open.pop();
                case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> {
                    if (!open.isEmpty()) {
                        open.peek().text.append(reader.getText());
                    }
                }
                case XMLStreamConstants.DTD, XMLStreamConstants.ENTITY_REFERENCE ->
                    throw new DomainException("it has a DOCTYPE or an entity of its own; a libvirt domain has neither: use what 'virsh dumpxml' prints");
                default -> { }
            }
        }
        return root;
    }

    private static XmlTree element(XMLStreamReader reader) {
        Map<String, String> attributes = new LinkedHashMap<>();
        for (int i = 0; i < reader.getAttributeCount(); i++) {
            attributes.put(reader.getAttributeLocalName(i), reader.getAttributeValue(i).strip());
        }
        return new XmlTree(reader.getLocalName(), reader.getNamespaceURI(), attributes);
    }

    private static String firstLine(XMLStreamException e) {
        String message = String.valueOf(e.getMessage());
        int told = message.indexOf("Message: ");
        return (told < 0 ? message : message.substring(told + "Message: ".length())).lines().findFirst().orElse("");
    }

    /** Of libvirt itself, and not of one of its extensions, which have a namespace. */
    boolean plain() {
        return namespace.isEmpty();
    }

    List<XmlTree> children() {
        return children;
    }

    List<XmlTree> children(String childName) {
        return children.stream().filter(child -> child.name.equals(childName)).toList();
    }

    Optional<XmlTree> child(String childName) {
        return children.stream().filter(child -> child.name.equals(childName)).findFirst();
    }

    /** The element at the end of these names, if all are there. */
    Optional<XmlTree> at(String... names) {
        Optional<XmlTree> here = Optional.of(this);
        for (String step : names) {
            here = here.flatMap(element -> element.child(step));
        }
        return here;
    }

    /** An attribute of a child, or empty. */
    String of(String childName, String attribute) {
        return child(childName).map(child -> child.attribute(attribute)).orElse("");
    }

    /** An attribute, or empty. */
    String attribute(String attribute) {
        return attributes.getOrDefault(attribute, "");
    }

    /** The element's own text without white space around it. */
    String text() {
        return text.toString().strip();
    }

    /** The text of a child, or empty. */
    String textOf(String childName) {
        return child(childName).map(XmlTree::text).orElse("");
    }
}
