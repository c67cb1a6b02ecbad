package io.github.graphmer.shelf.meta;

import io.github.graphmer.shelf.index.IndexKind;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Asks for an index on the column of this record component. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Indexed {
    /** Which kind of index; equality look-ups need no more than the default. */
    IndexKind value() default IndexKind.HASH;
}
