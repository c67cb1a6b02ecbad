package io.github.graphmer.shelf.util;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Small text helpers shared by the full-text index and the reports. */
public final class Text {
    public static final char QUOTE = '"';
    private static final String ELLIPSIS = "...";

    private Text() {
    }

    /** Splits a text into lower-case words; everything that is no letter or digit separates. */
    public static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isLetterOrDigit(c)) {
                word.append(Character.toLowerCase(c));
            } else if (word.length() > 0) {
                words.add(word.toString());
                word.setLength(0);
            }
        }
        if (word.length() > 0) {
            words.add(word.toString());
        }
        return words;
    }

    public static String padRight(String text, int width) {
        return text.length() >= width ? text : text + " ".repeat(width - text.length());
    }

    public static String padLeft(String text, int width) {
        return text.length() >= width ? text : " ".repeat(width - text.length()) + text;
    }

    /** Cuts a text to the width, marking the cut. */
    public static String shorten(String text, int width) {
        if (text.length() <= width) {
            return text;
        }
        int keep = Math.max(0, width - ELLIPSIS.length());
        return text.substring(0, keep) + ELLIPSIS.substring(0, Math.min(width, ELLIPSIS.length()));
    }

    public static String quote(String text) {
        return QUOTE + text.replace("\"", "\"\"") + QUOTE;
    }

    public static String identifier(String text) {
        return text.strip().toLowerCase(Locale.ROOT);
    }

    /** The number of single-letter edits between two texts, for "did you mean" hints. */
    public static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    /** The candidate closest to a misspelt word, or null when none is near. */
    public static String closest(String word, Iterable<String> candidates) {
        String best = null;
        int bestDistance = Math.max(2, word.length() / 3) + 1;
        for (String candidate : candidates) {
            int d = distance(word, candidate);
            if (d < bestDistance) {
                bestDistance = d;
                best = candidate;
            }
        }
        return best;
    }
}
