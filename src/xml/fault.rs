//! Why a document is refused, and where. Never repeats any of the document.

/// A refusal: what is wrong, and where the reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw} (line {line}, column {column})")]
pub struct Fault {
    /// What is wrong.
    pub flaw: Flaw,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
}

/// What can be wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// More bytes than the limit.
    #[error("the document is too long")]
    TooLong,
    /// Elements in elements beyond the limit.
    #[error("elements are nested too deeply")]
    TooDeep,
    /// More elements and texts than the limit.
    #[error("the document has too many elements")]
    TooManyNodes,
    /// More attributes on one tag than the limit.
    #[error("a tag has too many attributes")]
    TooManyAttributes,
    /// More namespaces in scope than the limit.
    #[error("too many namespaces are declared")]
    TooManyNamespaces,
    /// Not UTF-8, or a declaration of another encoding.
    #[error("the document is not in UTF-8")]
    Encoding,
    /// A declaration that is not one of XML 1.0, or not at the very beginning (xml §2.8).
    #[error("the XML declaration is not one of XML 1.0")]
    Declaration,
    /// A document type (saml-core and the signatures on it need none).
    #[error("a DOCTYPE is refused")]
    DocumentType,
    /// An entity other than the five predefined.
    #[error("an entity is refused")]
    Entity,
    /// A processing instruction.
    #[error("a processing instruction is refused")]
    ProcessingInstruction,
    /// A comment, where the limits allow none.
    #[error("a comment is refused")]
    Comment,
    /// A character that XML 1.0 §2.2 does not have, written or by reference.
    #[error("a character is none of XML")]
    Character,
    /// A name that is none (xml-names §3).
    #[error("a name is none of XML")]
    Name,
    /// The same attribute twice on one tag, by name or by namespace (xml-names §6.3).
    #[error("an attribute is repeated")]
    RepeatedAttribute,
    /// A prefix that nothing declares (xml-names §5).
    #[error("a prefix is not declared")]
    UndeclaredPrefix,
    /// A namespace that is relative, empty under a prefix, or reserved (xml-names §2.2, xml-c14n §1.3).
    #[error("a namespace is declared wrongly")]
    NamespaceDeclaration,
    /// Text outside the root element, or no root, or two.
    #[error("the document is not one element")]
    Root,
    /// Anything else that is not well-formed.
    #[error("the document is not well-formed")]
    IllFormed,
}
